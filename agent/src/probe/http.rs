//! An HTTP request: the status decides; at most 64 KiB of the body are read, to see that the answer is whole.
//!
//! One client for all checks, a new connection for every probe (an idle pooled one says nothing about a listener),
//! no redirects (they are a status), no proxy (a probe looks at the server, not at what stands between), no resolver
//! for `localhost` (see `tcp.rs`). System certificates are loaded only if some check asks for https: they cost over a
//! MiB.

use super::cause_of;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::error::Error;

const BODY_MAX: usize = 64 * 1024;

/// Makes the client for these addresses.
///
/// # Errors
/// The system's certificates can't be loaded.
pub(crate) fn client<'u>(
    mut urls: impl Iterator<Item = &'u reqwest::Url>,
) -> reqwest::Result<reqwest::Client> {
    // reqwest takes the process' provider; a second agent in one process finds the first one's, which is the same.
    let _first_one_stays = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        // Port 0 is the URL's own.
        .resolve_to_addrs("localhost", &super::tcp::loopback(0))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("picket/", env!("CARGO_PKG_VERSION")));
    let needs_tls = urls.any(|url| url.scheme() == "https");
    if needs_tls { builder.build() } else { builder.tls_certs_only([]).build() }
}

/// Probes `url` once.
pub(crate) async fn read(client: &reqwest::Client, url: reqwest::Url, status: u16) -> Reading {
    match exchange(client, url).await {
        Ok(found) if found == status => Reading::Good,
        Ok(found) => Reading::Bad(Cause::Status(found)),
        Err(error) => Reading::Bad(cause(&error)),
    }
}

async fn exchange(client: &reqwest::Client, url: reqwest::Url) -> reqwest::Result<u16> {
    let mut answer = client.get(url).send().await?;
    let mut read = 0;
    while let Some(part) = answer.chunk().await? {
        read += part.len();
        if read >= BODY_MAX {
            break;
        }
    }
    Ok(answer.status().as_u16())
}

/// The cause that lies deepest in an error's chain and is known.
pub(super) fn cause(error: &reqwest::Error) -> Cause {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    let mut found = if error.is_timeout() { Cause::TimedOut } else { Cause::Closed };
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            found = if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                Cause::Tls
            } else {
                cause_of(io)
            };
        } else if inner.is::<rustls::Error>() {
            return Cause::Tls;
        } else if inner.to_string().contains("dns error") {
            return Cause::Unresolved;
        }
        source = inner.source();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn answer_with(said: &'static [u8]) -> Reading {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: reqwest::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let client = client(std::iter::once(&url)).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let asked = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(asked > 0);
            stream.write_all(said).await.unwrap();
        });
        let reading = read(&client, url, 200).await;
        server.await.unwrap();
        reading
    }

    #[tokio::test]
    async fn the_status_decides_and_a_redirect_is_one() {
        assert_eq!(answer_with(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await, Reading::Good);
        let moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(answer_with(moved).await, Reading::Bad(Cause::Status(302)));
        let down = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(answer_with(down).await, Reading::Bad(Cause::Status(503)));
    }

    #[tokio::test]
    async fn an_answer_that_is_not_whole_is_no_answer() {
        let torn = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok";
        assert_eq!(answer_with(torn).await, Reading::Bad(Cause::Closed));
    }

    #[tokio::test]
    async fn a_port_where_nothing_listens_refuses() {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let url: reqwest::Url = format!("http://{address}/").parse().unwrap();
        let client = client(std::iter::once(&url)).unwrap();
        assert_eq!(read(&client, url, 200).await, Reading::Bad(Cause::Refused));
    }
}
