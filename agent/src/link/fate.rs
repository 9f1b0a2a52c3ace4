//! How a connection ended, kept beside it: the HTTP/2 that runs on it tells its calls only that there is no
//! connection any more, and with TLS 1.3 the collector's word on this host's certificate comes exactly then.

use super::tls;
use super::why::{Diagnosis, Step, broken};
use super::wire::Wire;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// Why the connection ended, once it has in another way than in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate(Arc<OnceLock<Diagnosis>>);

impl Fate {
    /// The connection's own reason where a call knows nothing better than that it is gone.
    pub(super) fn explain(&self, told: Diagnosis) -> Diagnosis {
        match self.0.get() {
            Some(known) if told.code == "link-closed" => Diagnosis { address: told.address, ..known.clone() },
            Some(_) | None => told,
        }
    }

    fn note(&self, error: &io::Error) {
        let known = tls::below(error)
            .map_or_else(|| broken(Step::Session, error), |below| tls::why(Step::Session, below));
        let _the_first_reason_counts = self.0.set(known);
    }
}

/// A connection that notes how it ends.
pub(super) struct Noted {
    stream: TlsStream<Wire>,
    fate: Fate,
}

impl Noted {
    /// The connection, and its fate.
    pub(super) fn new(stream: TlsStream<Wire>) -> (Self, Fate) {
        let fate = Fate::default();
        (Self { stream, fate: fate.clone() }, fate)
    }

    /// A write that fails has no reason to tell, and nobody reads after it: what the other side said waits there.
    fn hear_last_words(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 1024];
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut bytes));
        let _only_noted = self.noted(polled);
    }

    fn noted<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            self.fate.note(error);
        }
        polled
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.noted(polled)
    }
}

impl AsyncWrite for Noted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.hear_last_words(cx);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.hear_last_words(cx);
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
