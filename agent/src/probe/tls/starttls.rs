//! What is spoken before TLS: the few words of SMTP, IMAP and PostgreSQL that turn a connection to it.
//!
//! At most 4 KiB are read; the caller bounds the time. A server that will not is a failure of TLS, in its own words.

use crate::config::Starttls;
use crate::probe::{Seen, cause_of};
use crate::words;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_MAX: usize = 4096;
/// The length of the message, then the number that asks for TLS (PostgreSQL's protocol, SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Turns the connection to TLS.
///
/// # Errors
/// What came instead.
pub(super) async fn ask(protocol: Starttls, stream: TcpStream) -> Result<TcpStream, Seen> {
    let mut talk = Talk { stream, heard: Vec::new() };
    match protocol {
        Starttls::Postgres => {
            talk.say(&SSL_REQUEST).await?;
            let mut answer = [0];
            talk.stream.read_exact(&mut answer).await.map_err(|error| failed(&error))?;
            if answer != *b"S" {
                return Err(Seen::new(Reading::Bad(Cause::Tls), "the server is not set up for TLS"));
            }
        }
        Starttls::Smtp => {
            talk.hear(b"220").await?;
            talk.say(b"EHLO picket\r\n").await?;
            talk.hear(b"250").await?;
            talk.say(b"STARTTLS\r\n").await?;
            talk.hear(b"220").await?;
        }
        Starttls::Imap => {
            talk.hear(b"*").await?;
            talk.say(b"a STARTTLS\r\n").await?;
            talk.hear(b"a OK").await?;
        }
    }
    Ok(talk.stream)
}

struct Talk {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Talk {
    async fn say(&mut self, words: &[u8]) -> Result<(), Seen> {
        self.stream.write_all(words).await.map_err(|error| failed(&error))
    }

    /// Hears one answer to its last line, which must begin with `wanted`.
    async fn hear(&mut self, wanted: &[u8]) -> Result<(), Seen> {
        loop {
            let Some(end) = self.heard.windows(2).position(|two| two == b"\r\n") else {
                if self.heard.len() >= ANSWER_MAX {
                    return Err(Seen::new(Reading::Bad(Cause::Mismatch), "its answer has no end"));
                }
                let read = self.stream.read_buf(&mut self.heard).await.map_err(|error| failed(&error))?;
                if read == 0 {
                    return Err(Reading::Bad(Cause::Closed).into());
                }
                continue;
            };
            let line: Vec<u8> = self.heard.drain(..end + 2).collect();
            let goes_on = match wanted {
                b"a OK" => line.starts_with(b"*"),
                // RFC 5321, 4.2.1: all lines but the last have a hyphen behind the code.
                _ => line.get(wanted.len()) == Some(&b'-') && line.starts_with(wanted),
            };
            if goes_on {
                continue;
            }
            if line.starts_with(wanted) {
                return Ok(());
            }
            return Err(Seen::new(Reading::Bad(Cause::Tls), words::plain(&String::from_utf8_lossy(&line))));
        }
    }
}

fn failed(error: &std::io::Error) -> Seen {
    Reading::Bad(cause_of(error)).into()
}
