//! One record inside a batch: written in place, read by borrowing.
//!
//! By hand, because this is where a client spends its time: ten times faster than building the generated
//! structs, and without an allocation per record. The tests compare it with the generated code.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::codec::plain;
use crate::codec::wire::{Reader, broken};
use crate::error::{Error, Result};
use crate::proto::h_stream_record_header::Flag;
use crate::record::{Content, RecordKind};

// Tags: field number * 8 + wire type. All fields here are length-delimited but the flag.
const BATCH_RECORDS: u8 = 0x0a;
pub(crate) const RECORD_HEADER: u8 = 0x0a;
pub(crate) const RECORD_PAYLOAD: u8 = 0x12;
pub(crate) const HEADER_FLAG: u8 = 0x08;
const HEADER_ATTRIBUTES: u8 = 0x12;
pub(crate) const HEADER_KEY: u8 = 0x1a;
const ENTRY_NAME: u8 = 0x0a;
const ENTRY_VALUE: u8 = 0x12;

/// A record with the lengths of its parts, which are written in front of them.
pub(crate) struct Measured<'a, R> {
    record: &'a R,
    header: usize,
    len: usize,
}

impl<'a, R: Content> Measured<'a, R> {
    #[inline]
    pub(crate) fn new(record: &'a R) -> Self {
        let header = header_len(record);
        Measured { record, header, len: record_len(record, header) }
    }

    #[inline]
    pub(crate) fn key(&self) -> &'a str {
        self.record.key()
    }

    /// How many bytes [`encode`](Self::encode) writes.
    #[inline]
    pub(crate) fn encoded_len(&self) -> usize {
        field_len(self.len)
    }

    /// Appends the record, as an element of `BatchHStreamRecords`.
    #[inline]
    pub(crate) fn encode(&self, buffer: &mut Vec<u8>) {
        let record = self.record;
        begin_field(buffer, BATCH_RECORDS, self.len);
        // Written even when empty: the server refuses to look at records without a header.
        begin_field(buffer, RECORD_HEADER, self.header);
        if record.kind() == RecordKind::Raw {
            buffer.extend_from_slice(&[HEADER_FLAG, Flag::Raw as u8]);
        }
        for (name, value) in record.attributes() {
            begin_field(buffer, HEADER_ATTRIBUTES, entry_len(name, value));
            write_field(buffer, ENTRY_NAME, name.as_bytes());
            write_field(buffer, ENTRY_VALUE, value.as_bytes());
        }
        if !record.key().is_empty() {
            write_field(buffer, HEADER_KEY, record.key().as_bytes());
        }
        if !record.payload().is_empty() {
            write_field(buffer, RECORD_PAYLOAD, record.payload());
        }
    }
}

/// Appends one record.
#[inline]
pub(crate) fn encode(record: &impl Content, buffer: &mut Vec<u8>) {
    Measured::new(record).encode(buffer);
}

#[inline]
fn record_len(record: &impl Content, header: usize) -> usize {
    let payload = record.payload().len();
    field_len(header) + if payload == 0 { 0 } else { field_len(payload) }
}

#[inline]
fn header_len(record: &impl Content) -> usize {
    let flag = if record.kind() == RecordKind::Raw { 2 } else { 0 };
    let key = if record.key().is_empty() { 0 } else { field_len(record.key().len()) };
    flag + key + attributes_len(record.attributes())
}

#[inline]
fn attributes_len(attributes: &BTreeMap<String, String>) -> usize {
    if attributes.is_empty() {
        return 0;
    }
    attributes.iter().map(|(name, value)| field_len(entry_len(name, value))).sum()
}

#[inline]
fn entry_len(name: &str, value: &str) -> usize {
    field_len(name.len()) + field_len(value.len())
}

/// A length-delimited field of `len` bytes: its tag, its length, itself.
#[inline]
fn field_len(len: usize) -> usize {
    1 + varint_len(len) + len
}

#[inline]
fn varint_len(value: usize) -> usize {
    // Nearly all are short, and comparing is less work than counting bits.
    match value {
        ..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => (usize::BITS - value.leading_zeros()).div_ceil(7) as usize,
    }
}

#[inline]
fn write_field(buffer: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    begin_field(buffer, tag, bytes.len());
    buffer.extend_from_slice(bytes);
}

#[inline]
fn begin_field(buffer: &mut Vec<u8>, tag: u8, len: usize) {
    buffer.push(tag);
    let mut rest = len;
    while rest >= 0x80 {
        buffer.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    buffer.push(rest as u8);
}

/// Some bytes of a decompressed batch. Small, because there are three of them for each record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// Batches are smaller than 4 GiB: [`decode_all`] sees to it.
    #[inline]
    pub(crate) fn of(range: Range<usize>) -> Self {
        Span { start: range.start as u32, len: range.len() as u32 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    pub(crate) fn of_bytes(self, batch: &[u8]) -> &[u8] {
        &batch[self.range()]
    }
}

/// Where the parts of one record lie in a decompressed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) kind: RecordKind,
    pub(crate) key: Span,
    pub(crate) payload: Span,
    /// The header, if it has attributes: those are read when asked for. Else empty.
    pub(crate) attributes: Span,
}

/// The records of a batch: one that can't be read does not spoil the others.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    all: Vec<Layout>,
    /// Why some can't be read, by their place.
    broken: BTreeMap<usize, Error>,
}

impl Layouts {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The record at this place. There must be so many.
    pub(crate) fn get(&self, index: usize) -> Result<&Layout, &Error> {
        match self.broken.get(&index) {
            None => Ok(&self.all[index]),
            Some(error) => Err(error),
        }
    }

    /// All of them; those that can't be read are empty.
    #[cfg(feature = "ffi")]
    pub(crate) fn all(&self) -> &[Layout] {
        &self.all
    }

    /// Why the first one can't be read that can't.
    pub(crate) fn first_error(&self) -> Option<&Error> {
        self.broken.values().next()
    }

    /// Those that can be read.
    pub(crate) fn readable(self) -> Vec<Layout> {
        let broken = self.broken;
        let all = self.all.into_iter().enumerate();
        all.filter(|(index, _)| !broken.contains_key(index)).map(|(_, layout)| layout).collect()
    }

    fn push(&mut self, layout: Result<Layout>) {
        self.all.push(layout.unwrap_or_else(|error| {
            self.broken.insert(self.all.len(), error);
            Layout::empty()
        }));
    }
}

impl Layout {
    /// An absent header reads as an empty one: a JSON record without a key.
    fn empty() -> Self {
        let nothing = Span::default();
        Layout { kind: RecordKind::Json, key: nothing, payload: nothing, attributes: nothing }
    }
}

/// A record takes a tag and a length at least.
const LEAST_LEN: usize = 2;

/// Finds the records of a decompressed batch, of which so many are expected. The result is that of the batch; its
/// records may be broken all the same.
pub(crate) fn decode_all(batch: &[u8], expected: usize) -> Result<Layouts> {
    if u32::try_from(batch.len()).is_err() {
        return Err(broken("a batch of 4 GiB or more"));
    }
    let mut records =
        Layouts { all: Vec::with_capacity(expected.min(batch.len() / LEAST_LEN)), ..Layouts::default() };
    let mut reader = Reader::new(batch, 0..batch.len());
    while let Some(field) = reader.next()? {
        if field.tag == u64::from(BATCH_RECORDS) {
            match plain::layout(&batch[field.bytes.clone()], field.bytes.start) {
                Some(layout) => records.all.push(layout),
                None => records.push(decode(batch, field.bytes)),
            }
        }
    }
    Ok(records)
}

/// Where the records of a batch that we encoded lie, tags and lengths included.
pub(crate) fn split(batch: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut reader = Reader::new(batch, 0..batch.len());
    std::iter::from_fn(move || {
        let start = reader.at();
        reader.next().ok()??;
        Some(start..reader.at())
    })
}

/// The key of a record that we encoded, in the form in which it lies in a batch.
pub(crate) fn key_of(encoded: &[u8]) -> &str {
    let layout = Reader::new(encoded, 0..encoded.len()).next().ok().flatten();
    let layout = layout.and_then(|field| decode(encoded, field.bytes).ok());
    layout.and_then(|layout| std::str::from_utf8(layout.key.of_bytes(encoded)).ok()).unwrap_or_default()
}

fn decode(batch: &[u8], record: Range<usize>) -> Result<Layout> {
    let mut layout = Layout::empty();
    let mut reader = Reader::new(batch, record);
    while let Some(field) = reader.next()? {
        match field.tag as u8 {
            RECORD_HEADER if field.tag < 0x80 => decode_header(batch, field.bytes, &mut layout)?,
            RECORD_PAYLOAD if field.tag < 0x80 => layout.payload = Span::of(field.bytes),
            _ => {}
        }
    }
    Ok(layout)
}

fn decode_header(batch: &[u8], header: Range<usize>, layout: &mut Layout) -> Result<()> {
    let mut reader = Reader::new(batch, header.clone());
    while let Some(field) = reader.next()? {
        if field.tag >= 0x80 {
            continue;
        }
        match field.tag as u8 {
            HEADER_FLAG => layout.kind = kind(field.number)?,
            HEADER_ATTRIBUTES => {
                decode_entry(batch, field.bytes)?;
                layout.attributes = Span::of(header.clone());
            }
            HEADER_KEY => {
                text(batch, field.bytes.clone())?;
                layout.key = Span::of(field.bytes);
            }
            _ => {}
        }
    }
    Ok(())
}

fn kind(flag: u64) -> Result<RecordKind> {
    match i32::try_from(flag).ok().and_then(|flag| Flag::try_from(flag).ok()) {
        Some(Flag::Json) => Ok(RecordKind::Json),
        Some(Flag::Raw) => Ok(RecordKind::Raw),
        None => Err(broken(format!("a record has the unknown flag {flag}"))),
    }
}

/// The attributes in a header that [`decode_all`] has seen to be sound.
pub(crate) fn attributes(batch: &[u8], header: Range<usize>) -> impl Iterator<Item = (&str, &str)> {
    let mut reader = Reader::new(batch, header);
    std::iter::from_fn(move || {
        loop {
            let field = reader.next().ok()??;
            if field.tag == u64::from(HEADER_ATTRIBUTES) {
                return decode_entry(batch, field.bytes).ok();
            }
        }
    })
}

fn decode_entry(batch: &[u8], entry: Range<usize>) -> Result<(&str, &str)> {
    let (mut name, mut value) = ("", "");
    let mut reader = Reader::new(batch, entry);
    while let Some(field) = reader.next()? {
        if field.tag == u64::from(ENTRY_NAME) {
            name = text(batch, field.bytes)?;
        } else if field.tag == u64::from(ENTRY_VALUE) {
            value = text(batch, field.bytes)?;
        }
    }
    Ok((name, value))
}

fn text(batch: &[u8], range: Range<usize>) -> Result<&str> {
    std::str::from_utf8(&batch[range]).map_err(|_| broken("a key or attribute of a record is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::proto;
    use crate::record::Record;

    fn generated(record: &Record) -> proto::HStreamRecord {
        let flag = if record.kind() == RecordKind::Raw { Flag::Raw } else { Flag::Json };
        proto::HStreamRecord {
            header: Some(proto::HStreamRecordHeader {
                flag: flag as i32,
                attributes: record.attributes().clone().into_iter().collect(),
                key: record.key().to_owned(),
            }),
            payload: record.payload().clone(),
        }
    }

    fn any_record() -> impl Strategy<Value = Record> {
        let attributes = proptest::collection::btree_map(".{0,5}", ".{0,200}", 0..3);
        (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300), ".{0,20}", attributes).prop_map(
            |(raw, payload, key, attributes)| {
                let kind = if raw { RecordKind::Raw } else { RecordKind::Json };
                let mut record = Record::from_parts(kind, payload.into()).with_key(key);
                for (name, value) in attributes {
                    record.set_attribute(name, value);
                }
                record
            },
        )
    }

    proptest! {
        #[test]
        fn generated_code_reads_what_we_write(records in proptest::collection::vec(any_record(), 0..8)) {
            let mut bytes = Vec::new();
            for record in &records {
                let before = bytes.len();
                encode(record, &mut bytes);
                prop_assert_eq!(bytes.len() - before, record.encoded_len());
            }
            let decoded = proto::BatchHStreamRecords::decode(bytes.as_slice()).unwrap();
            prop_assert_eq!(decoded.records, records.iter().map(generated).collect::<Vec<_>>());
        }

        #[test]
        fn we_read_what_generated_code_writes(records in proptest::collection::vec(any_record(), 0..8)) {
            let batch = proto::BatchHStreamRecords { records: records.iter().map(generated).collect() };
            let bytes = Bytes::from(batch.encode_to_vec());
            let layouts = decode_all(&bytes, 0).unwrap();
            prop_assert_eq!(layouts.len(), records.len());
            for (index, record) in records.iter().enumerate() {
                let layout = layouts.get(index).unwrap();
                prop_assert_eq!(layout.kind, record.kind());
                prop_assert_eq!(layout.key.of_bytes(&bytes), record.key().as_bytes());
                prop_assert_eq!(layout.payload.of_bytes(&bytes), &record.payload()[..]);
                let mut read: Vec<_> = attributes(&bytes, layout.attributes.range()).collect();
                read.sort_unstable();
                let expected: Vec<_> =
                    record.attributes().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                prop_assert_eq!(read, expected);
            }
        }

        #[test]
        fn a_plain_record_is_what_it_is_field_by_field(
            key in "[a-zé]{0,90}",
            payload in proptest::collection::vec(any::<u8>(), 0..20_000),
            flips in proptest::collection::vec((0usize..12, any::<u8>()), 0..2),
        ) {
            let mut record = Vec::new();
            encode(&Record::raw(payload).with_key(key), &mut record);
            flips.into_iter().for_each(|(place, byte)| if let Some(old) = record.get_mut(place) { *old = byte });
            let field = Reader::new(&record, 0..record.len()).next().ok().flatten();
            let body = field.map(|field| field.bytes).unwrap_or_default();
            if let Some(layout) = plain::layout(&record[body.clone()], body.start) {
                prop_assert_eq!(layout, decode(&record, body).unwrap());
            }
        }

        #[test]
        fn any_bytes_give_records_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(layouts) = decode_all(&bytes, 0) {
                for layout in layouts.readable() {
                    let _ = (layout.key.of_bytes(&bytes), layout.payload.of_bytes(&bytes));
                    attributes(&bytes, layout.attributes.range()).count();
                }
            }
        }
    }

    #[test]
    fn one_record_of_an_unknown_flag_does_not_spoil_the_others() {
        let mut bytes = vec![BATCH_RECORDS, 4, RECORD_HEADER, 2, HEADER_FLAG, 7];
        encode(&Record::raw("ok"), &mut bytes);
        let layouts = decode_all(&bytes, 0).unwrap();
        assert!(layouts.get(0).unwrap_err().to_string().contains("flag 7"));
        assert_eq!(layouts.get(1).unwrap().payload.of_bytes(&bytes), b"ok");
        assert_eq!((layouts.len(), layouts.readable().len()), (2, 1));
    }

    #[test]
    fn a_missing_header_reads_as_json_without_a_key() {
        let layouts = decode_all(&[BATCH_RECORDS, 0], 1).unwrap();
        assert_eq!(layouts.get(0).unwrap().kind, RecordKind::Json);
    }

    #[test]
    fn encoded_records_are_told_apart_with_their_keys() {
        let records = [Record::raw("a"), Record::raw("").with_key("k"), Record::raw("b").with_key("")];
        let mut bytes = Vec::new();
        records.iter().for_each(|record| encode(record, &mut bytes));
        let keys: Vec<_> = split(&bytes).map(|range| key_of(&bytes[range])).collect();
        assert_eq!(keys, ["", "k", ""]);
        assert_eq!(split(&bytes).last().unwrap().end, bytes.len());
    }
}
