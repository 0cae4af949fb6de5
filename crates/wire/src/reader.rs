//! A cursor over bytes that never reads past their end.

/// What is left to read. Every method gives `None`, and consumes nothing, when too little is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Bytes behind a length of one byte.
    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u8()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// Bytes behind a length of two bytes.
    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// A variable-length integer of QUIC (RFC 9000 section 16): the two highest bits tell the length.
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut ahead = *self;
        let first = ahead.u8()?;
        let more = ahead.take((1_usize << (first >> 6)) - 1)?;
        *self = ahead;
        Some(more.iter().fold(u64::from(first & 0x3f), |value, byte| (value << 8) | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_rfc_9000_appendix_a1() {
        let read = |bytes: &[u8]| Reader::new(bytes).varint();
        assert_eq!(read(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]), Some(151_288_809_941_952_652));
        assert_eq!(read(&[0x9d, 0x7f, 0x3e, 0x7d]), Some(494_878_333));
        assert_eq!(read(&[0x7b, 0xbd]), Some(15_293));
        assert_eq!(read(&[0x25]), Some(37));
        assert_eq!(read(&[0x40]), None);
    }

    #[test]
    fn a_short_read_consumes_nothing() {
        let mut reader = Reader::new(&[0, 5, 1, 2]);
        assert_eq!(reader.vector16(), None);
        assert_eq!(reader.take(5), None);
        assert_eq!(reader.rest(), [0, 5, 1, 2]);
    }
}
