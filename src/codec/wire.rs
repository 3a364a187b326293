//! Protobuf messages, walked over without decoding them into anything.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};

#[cold]
pub(crate) fn broken(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Decode, message)
}

/// One field of a protobuf message.
pub(crate) struct Field {
    /// Number and wire type together.
    pub(crate) tag: u64,
    /// The value of a varint field.
    pub(crate) number: u64,
    /// Where the value of a length-delimited field lies.
    pub(crate) bytes: Range<usize>,
}

/// Walks over the fields of one message.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Reader { bytes, at: range.start, end: range.end }
    }

    /// Where the next field begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Inlined, because what is returned is taken apart at once; as a call it costs three times as much.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Field>> {
        if self.at == self.end {
            return Ok(None);
        }
        let tag = self.varint()?;
        let mut field = Field { tag, number: 0, bytes: self.at..self.at };
        match tag & 7 {
            0 => field.number = self.varint()?,
            1 => field.bytes = self.take(8)?,
            2 => {
                let len = self.varint()?;
                field.bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
            }
            5 => field.bytes = self.take(4)?,
            // Groups are gone from proto3, 6 and 7 never existed.
            other => return Err(broken(format!("a message has a field of the wire type {other}"))),
        }
        if tag >> 3 == 0 {
            return Err(broken("a message has a field with the number 0"));
        }
        Ok(Some(field))
    }

    /// Goes on after these bytes, if they are what comes next.
    #[inline]
    pub(crate) fn skip(&mut self, expected: &[u8]) -> bool {
        let is_next = self.bytes[self.at..self.end].starts_with(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    #[inline(always)]
    fn take(&mut self, len: usize) -> Result<Range<usize>> {
        if len > self.end - self.at {
            return Err(broken("a message ends inside a field"));
        }
        let range = self.at..self.at + len;
        self.at = range.end;
        Ok(range)
    }

    /// Most numbers have one byte or two.
    #[inline(always)]
    fn varint(&mut self) -> Result<u64> {
        match self.bytes[self.at..self.end] {
            [byte @ ..0x80, ..] => {
                self.at += 1;
                Ok(byte.into())
            }
            [low, high @ ..0x80, ..] => {
                self.at += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            if self.at == self.end {
                return Err(broken("a message ends inside a number"));
            }
            let byte = self.bytes[self.at];
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken("a message has a number of more than 64 bits"))
    }
}
