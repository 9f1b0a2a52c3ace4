//! The durable state as bytes, and back: postcard, one value, and behind it how often hosts are heard that have an interval of
//! their own, and then the keys that hosts were enrolled with. Where nothing is to be said of either, nothing stands there, as
//! in the snapshots of versions that knew of none. When it is written and read is the shell's.

use super::machine::Live;
use super::{State, Unreadable};
use crate::Collector;
use crate::identity::KeyHash;
use crate::ingest::sessions::HEARTBEAT;
use alloc::vec::Vec;
use picket_proto::{Span, Wall};

/// By the host's slot: at most as many as there are hosts.
type Paces = Vec<(u32, Span)>;
/// The same.
type Keys = Vec<(u32, KeyHash, Wall)>;

impl Collector {
    /// The collector whose [`Self::snapshot`] these bytes are; what follows it in the journal is then replayed.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes are not a whole state of this version.
    pub fn restore(seed: u64, snapshot: &[u8]) -> Result<Self, Unreadable> {
        let (mut state, rest) = postcard::take_from_bytes::<State>(snapshot).map_err(|_| Unreadable)?;
        state.add_behind(rest)?;
        let mut live = Live::new(seed);
        live.out.replayed(state.index);
        Ok(Self { state, live })
    }

    /// The durable state as bytes: equal bytes are equal state.
    pub fn snapshot(&self) -> Vec<u8> {
        let (paces, keys) = (self.state.paces(), self.state.keys());
        let bytes = postcard::to_allocvec(&self.state).and_then(|bytes| {
            let bytes =
                if paces.is_empty() && keys.is_empty() { bytes } else { postcard::to_extend(&paces, bytes)? };
            if keys.is_empty() { Ok(bytes) } else { postcard::to_extend(&keys, bytes) }
        });
        bytes.expect("only memory can fail, and that ends the process")
    }
}

impl State {
    fn paces(&self) -> Paces {
        let own = self.hosts.iter().filter(|(_, host)| host.report != HEARTBEAT);
        own.map(|(slot, host)| (slot, host.report)).collect()
    }

    fn keys(&self) -> Keys {
        let all = self.hosts.iter();
        all.filter_map(|(slot, host)| host.enrolled.map(|(key, at)| (slot, key, at))).collect()
    }

    fn add_behind(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (paces, rest) = postcard::take_from_bytes::<Paces>(bytes).map_err(|_| Unreadable)?;
        if paces.is_empty() && rest.is_empty() {
            return Err(Unreadable);
        }
        for (slot, report) in paces {
            self.hosts.get_mut(slot).ok_or(Unreadable)?.report = report;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let (keys, rest) = postcard::take_from_bytes::<Keys>(rest).map_err(|_| Unreadable)?;
        if keys.is_empty() || !rest.is_empty() {
            return Err(Unreadable);
        }
        for (slot, key, at) in keys {
            self.hosts.get_mut(slot).ok_or(Unreadable)?.enrolled = Some((key, at));
        }
        Ok(())
    }
}
