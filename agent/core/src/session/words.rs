//! The words of the link: what can happen to it, and what is to be done on it.

use crate::check::CheckIx;
use crate::spool::Bytes;
use picket_proto::event::{Cause, Verdict};
use picket_proto::{Mono, Name, Offset, Ranges, Run, Sample, Span};

/// Why there is no link. Each has a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The address refuses.
    Refused,
    /// No route.
    Unreachable,
    /// The name does not resolve.
    Unresolved,
    /// The proxy on the way refuses.
    Proxy,
    /// No answer in time.
    TimedOut,
    /// TLS: one side does not accept the other.
    Tls,
    /// The stream ended without a reason.
    Closed,
    /// The collector said no: quarantined, token, certificate. Waits longer.
    Denied,
}

/// Something happened to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// The stream is open: Hello may be sent.
    Opened,
    /// The collector took the Hello.
    Welcomed {
        /// How often it wants to hear from us.
        heartbeat: Span,
        /// What is journaled of this run.
        known: &'a Ranges,
        /// The digest of what it lists as watched here, where it says so.
        watched: Option<u32>,
    },
    /// These frames are journaled.
    Acked {
        /// Of which run.
        run: Run,
        /// Which.
        ranges: &'a Ranges,
    },
    /// The collector's times of a round trip that a Hello or a Heartbeat began.
    Beat {
        /// When that was sent, by our clock.
        echo: Mono,
        /// When it came, by the collector's clock.
        received: Mono,
        /// When the answer left, by the collector's clock.
        answered: Mono,
    },
    /// Asks whether this session is alive.
    Challenged {
        /// To be answered with.
        nonce: u64,
    },
    /// An operator wants to read what a service printed last.
    Ordered {
        /// The order's number: what comes of it carries it.
        token: u64,
        /// Which service, by the name that the collector knows.
        service: &'a Name,
    },
    /// There is no stream any more, or none came.
    Lost {
        /// Why.
        trouble: Trouble,
    },
    /// So many bytes more have gone over the link, both ways together, with the headers of IP and TCP.
    Carried {
        /// How many.
        bytes: u64,
    },
    /// Of the messages ordered, this many are with the transport; frees their place in the window.
    Sent {
        /// How many.
        messages: u16,
    },
}

/// Which lane a batch goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What happened since the session opened.
    Live,
    /// What waited in the spool before.
    Backlog,
}

/// Something to do on the link. The shell keeps the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Try to open the stream; answered by Opened or Lost.
    Connect,
    /// Say who we are and what we watch.
    Hello {
        /// How often we want to be heard.
        report: Span,
        /// The digest of the list that the collector has, where it said so: if that is what is watched, it stands for the
        /// list.
        known: Option<u32>,
    },
    /// Send these frames: whole, in order, of this run. The bytes are valid until the next `handle`.
    Send {
        /// In which lane.
        lane: Lane,
        /// Where the bytes are.
        bytes: Bytes,
    },
    /// A check that is not up.
    Standing {
        /// Which.
        check: CheckIx,
        /// What it is.
        verdict: Verdict,
        /// Since when.
        since: Mono,
        /// Why, where that is known.
        cause: Option<Cause>,
    },
    /// All that stands was said.
    StandingEnd {
        /// How many checks are up.
        up: u16,
        /// crc32c over the names of the checks that are up, each with a zero byte, in the configuration's order.
        digest: u32,
    },
    /// Say that we are alive, and how.
    Heartbeat {
        /// A look at the host, without what only the shell can read.
        sample: Sample,
        /// How the collector's clock lies to ours, where that is news.
        offset: Option<Offset>,
    },
    /// Answer a challenge.
    Answer {
        /// With its nonce.
        nonce: u64,
    },
    /// Say that we end as planned, then close when it is flushed.
    Goodbye,
    /// Close the stream now.
    Close,
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// There is no stream; the next try comes then.
    Resting {
        /// When.
        until: Mono,
    },
    /// A stream is being opened.
    Connecting,
    /// The stream is open, and the collector has not taken the session yet.
    Greeting,
    /// The collector took the session.
    Open {
        /// When.
        since: Mono,
    },
}
