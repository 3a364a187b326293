//! JSON objects to protobuf `Struct`s and back.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::hrecord::{HRecord, HValue};

/// Protobuf decoders, ours and those of the other clients, refuse messages nested more deeply.
const MOST_MESSAGES_DEEP: usize = 100;

/// Levels of messages for one level of JSON: an object is a value, a struct, and a map entry.
const OBJECT_LEVELS: usize = 3;
const LIST_LEVELS: usize = 2;

pub(crate) fn encode_hrecord(record: HRecord) -> Result<Bytes> {
    Ok(to_struct(record, 0)?.encode_to_vec().into())
}

pub(crate) fn decode_hrecord(bytes: &[u8]) -> Result<HRecord> {
    let decoded = Struct::decode(bytes).map_err(|error| {
        Error::new(ErrorKind::Decode, "the payload of a JSON record is no protobuf Struct").with_source(error)
    })?;
    Ok(from_struct(decoded))
}

fn to_struct(record: HRecord, depth: usize) -> Result<Struct> {
    let depth = depth + OBJECT_LEVELS;
    if depth > MOST_MESSAGES_DEEP {
        return Err(too_deep());
    }
    let fields = record.into_iter().map(|(name, value)| Ok((name, to_value(value, depth)?)));
    Ok(Struct { fields: fields.collect::<Result<BTreeMap<_, _>>>()? })
}

fn to_value(value: HValue, depth: usize) -> Result<Value> {
    let kind = match value {
        HValue::Null => Kind::NullValue(0),
        HValue::Bool(value) => Kind::BoolValue(value),
        HValue::Number(number) => Kind::NumberValue(number),
        HValue::String(text) => Kind::StringValue(text),
        HValue::List(values) => {
            let depth = depth + LIST_LEVELS;
            if depth > MOST_MESSAGES_DEEP {
                return Err(too_deep());
            }
            let values = values.into_iter().map(|value| to_value(value, depth));
            Kind::ListValue(ListValue { values: values.collect::<Result<_>>()? })
        }
        HValue::Object(record) => Kind::StructValue(to_struct(record, depth)?),
    };
    Ok(Value { kind: Some(kind) })
}

fn too_deep() -> Error {
    Error::new(
        ErrorKind::Json,
        "objects and lists are nested too deeply for protobuf readers, 32 levels are fine",
    )
}

fn from_struct(decoded: Struct) -> HRecord {
    decoded.fields.into_iter().map(|(name, value)| (name, from_value(value))).collect()
}

fn from_value(value: Value) -> HValue {
    match value.kind {
        None | Some(Kind::NullValue(_)) => HValue::Null,
        Some(Kind::BoolValue(value)) => HValue::Bool(value),
        Some(Kind::NumberValue(number)) => HValue::Number(number),
        Some(Kind::StringValue(text)) => HValue::String(text),
        Some(Kind::ListValue(list)) => HValue::List(list.values.into_iter().map(from_value).collect()),
        Some(Kind::StructValue(inner)) => HValue::Object(from_struct(inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let record = HRecord::from_json(r#"{"a":[1,{"b":null}],"":{"c":[[]]},"t":true,"s":"你"}"#).unwrap();
        assert_eq!(decode_hrecord(&encode_hrecord(record.clone()).unwrap()).unwrap(), record);
        assert_eq!(encode_hrecord(HRecord::new()).unwrap().len(), 0);
    }

    #[test]
    fn whatever_is_accepted_can_be_read_back() {
        let mut deepest = 0;
        for depth in 1..60 {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!("{{\"a\":{}1{}}}", open.repeat(depth), close.repeat(depth));
                if let Ok(bytes) = encode_hrecord(HRecord::from_json(&text).unwrap()) {
                    decode_hrecord(&bytes).unwrap_or_else(|error| panic!("{depth} of {open}: {error}"));
                    deepest = deepest.max(depth);
                }
            }
            if depth < 32 {
                assert!(deepest >= depth);
            }
        }
        assert!(deepest < 59, "the limit is never met");
    }

    #[test]
    fn garbage_is_an_error() {
        assert_eq!(decode_hrecord(b"\xff\xff").unwrap_err().kind(), ErrorKind::Decode);
    }
}
