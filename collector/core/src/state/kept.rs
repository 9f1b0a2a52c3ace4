//! The durable state as bytes, and back: postcard, one value. When it is written and read is the shell's.

use super::machine::Live;
use super::{State, Unreadable};
use crate::Collector;
use alloc::vec::Vec;

impl Collector {
    /// The collector whose [`Self::snapshot`] these bytes are; what follows it in the journal is then replayed.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes are not a whole state of this version.
    pub fn restore(seed: u64, snapshot: &[u8]) -> Result<Self, Unreadable> {
        let (state, rest) = postcard::take_from_bytes::<State>(snapshot).map_err(|_| Unreadable)?;
        if !rest.is_empty() {
            return Err(Unreadable);
        }
        let mut live = Live::new(seed);
        live.out.replayed(state.index);
        Ok(Self { state, live })
    }

    /// The durable state as bytes: equal bytes are equal state.
    pub fn snapshot(&self) -> Vec<u8> {
        postcard::to_allocvec(&self.state).expect("only memory can fail, and that ends the process")
    }
}
