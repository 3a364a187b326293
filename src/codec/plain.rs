//! Records as nearly all are: raw, with a key or without one, no attributes, fields in order. Seen at a glance, which
//! takes an eighth of the time of reading them field by field.

use crate::codec::record::{HEADER_FLAG, HEADER_KEY, Layout, RECORD_HEADER, RECORD_PAYLOAD, Span};
use crate::proto::h_stream_record_header::Flag;
use crate::record::RecordKind;

const RAW: u8 = Flag::Raw as u8;

/// The layout of a record that begins at `at` in its batch. `None`: it may be sound all the same, but is no plain one.
#[inline]
pub(crate) fn layout(record: &[u8], at: usize) -> Option<Layout> {
    let [RECORD_HEADER, header_len @ ..0x80, rest @ ..] = record else { return None };
    let (header, body) = rest.split_at_checked((*header_len).into())?;
    let key = match header {
        [HEADER_FLAG, RAW] => 0..0,
        [HEADER_FLAG, RAW, HEADER_KEY, len @ ..0x80, key @ ..] if key.len() == usize::from(*len) => {
            std::str::from_utf8(key).ok()?;
            let end = at + record.len() - body.len();
            end - key.len()..end
        }
        _ => return None,
    };
    let payload_len = match body {
        [RECORD_PAYLOAD, len @ ..0x80, payload @ ..] if payload.len() == usize::from(*len) => payload.len(),
        [RECORD_PAYLOAD, low @ 0x80..=0xff, high @ ..0x80, payload @ ..]
            if payload.len() == usize::from(low & 0x7f) | usize::from(*high) << 7 =>
        {
            payload.len()
        }
        _ => return None,
    };
    let end = at + record.len();
    let payload = Span::of(end - payload_len..end);
    Some(Layout { kind: RecordKind::Raw, key: Span::of(key), payload, attributes: Span::default() })
}
