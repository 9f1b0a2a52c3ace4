//! Reads values out of any bytes, in order. Behind their end everything is zero, so no read fails.
//!
//! Small and extreme numbers are more likely than those between, since limits lie there. It keeps no structure of its
//! own: a change of one byte of the input changes one value, which is what both shrinking and libFuzzer need.

/// What is left of an input.
#[derive(Debug, Clone)]
pub struct Cursor<'b> {
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    /// All of these bytes.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// One of two.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// A number: mostly small, now and then near the end of what 64 bits hold, or anything.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..200 => u64::from(small),
            200..230 => u64::from(self.short()),
            230..245 => u64::from(self.short()) * u64::from(self.short()),
            245..250 => u64::MAX - u64::from(self.byte()),
            _ => u64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// A number as half as many bits hold it.
    pub fn half(&mut self) -> u32 {
        let number = self.number();
        u32::try_from(number).unwrap_or_else(|_| u32::MAX - (number & 0xFF) as u32)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let number = if end <= 256 { usize::from(self.byte()) } else { usize::from(self.short()) };
        number.checked_rem(end).unwrap_or(0)
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// As many bytes as the next one says, in units of `unit`; fewer at the end.
    pub fn some(&mut self, unit: usize) -> &'b [u8] {
        let len = (usize::from(self.byte()) * unit).min(self.rest.len());
        let (some, rest) = self.rest.split_at(len);
        self.rest = rest;
        some
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Changes `bytes` in up to three places; says whether they are others now.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>) -> bool {
        let before = bytes.clone();
        for _ in 0..self.below(4) {
            self.spoil_once(bytes);
        }
        *bytes != before
    }

    fn spoil_once(&mut self, bytes: &mut Vec<u8>) {
        let at = self.place(bytes.len());
        match self.below(7) {
            0 => flip(bytes, at, 1 << self.below(8)),
            1 => flip(bytes, at, self.byte()),
            2 => bytes.truncate(at),
            3 => {
                let some = self.some(1);
                bytes.splice(at..at, some.iter().copied());
            }
            4 => {
                let end = (at + self.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let from = self.place(bytes.len());
                let end = (from + self.below(256)).min(bytes.len());
                let copy = bytes[from..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let some = self.some(1);
                for (place, byte) in bytes[at..].iter_mut().zip(some) {
                    *place = *byte;
                }
            }
        }
    }

    /// A place in so many bytes, or behind the last.
    fn place(&mut self, len: usize) -> usize {
        let wide = usize::from(self.short()) | usize::from(self.byte() & 3) << 16;
        if len < 0x1_0000 { (wide & 0xFFFF) % (len + 1) } else { wide % (len + 1) }
    }
}

fn flip(bytes: &mut [u8], at: usize, mask: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= mask;
    }
}
