//! JSON-like records, which HStreamDB's SQL can look into.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::error::{Error, ErrorKind, Result};

/// A JSON object as a record: field names to values.
///
/// On the wire it is a protobuf `Struct`, whose only number is the double: integers that a double cannot
/// hold exactly are refused rather than rounded. Fields are sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HRecord {
    fields: BTreeMap<String, HValue>,
}

/// A value in an [`HRecord`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum HValue {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number. NaN and the infinities exist on the wire, but not in JSON.
    Number(f64),
    /// A text.
    String(String),
    /// A list of values.
    List(Vec<HValue>),
    /// An object in the object.
    Object(HRecord),
}

/// The largest integer up to which every integer is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl HRecord {
    /// A record without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] if the text is not JSON or not an object, or if it holds an integer that a
    /// double cannot hold.
    pub fn from_json(text: &str) -> Result<Self> {
        check_integers(text)?;
        let value: Value =
            serde_json::from_str(text).map_err(|error| bad_json(format!("not JSON: {error}")))?;
        Self::from_value(value)
    }

    /// The record as JSON text. Whole numbers come without a fraction.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] if it holds NaN or an infinity.
    pub fn to_json(&self) -> Result<String> {
        Ok(self.to_value()?.to_string())
    }

    pub(crate) fn from_value(value: Value) -> Result<Self> {
        match from_value(value)? {
            HValue::Object(record) => Ok(record),
            other => Err(bad_json(format!("a record must be a JSON object, this is {}", other.type_name()))),
        }
    }

    pub(crate) fn to_value(&self) -> Result<Value> {
        let fields = self.fields.iter().map(|(name, value)| Ok((name.clone(), to_value(value)?)));
        Ok(Value::Object(fields.collect::<Result<_>>()?))
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&HValue> {
        self.fields.get(field)
    }

    /// Sets a field, and gives back what it was before.
    pub fn set(&mut self, field: impl Into<String>, value: impl Into<HValue>) -> Option<HValue> {
        self.fields.insert(field.into(), value.into())
    }

    /// The same, for building a record in one expression.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<HValue>) -> Self {
        self.set(field, value);
        self
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: &str) -> Option<HValue> {
        self.fields.remove(field)
    }

    /// All fields, sorted by name.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &HValue)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl HValue {
    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        if let HValue::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let HValue::String(text) = self { Some(text) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let HValue::Bool(value) = self { Some(*value) } else { None }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[HValue]> {
        if let HValue::List(values) = self { Some(values) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&HRecord> {
        if let HValue::Object(record) = self { Some(record) } else { None }
    }

    /// Reads any JSON value, under the rules of [`HRecord::from_json`].
    ///
    /// # Errors
    ///
    /// As [`HRecord::from_json`], but for the object.
    pub fn from_json(text: &str) -> Result<Self> {
        check_integers(text)?;
        from_value(serde_json::from_str(text).map_err(|error| bad_json(format!("not JSON: {error}")))?)
    }

    /// The value as JSON text.
    ///
    /// # Errors
    ///
    /// As [`HRecord::to_json`].
    pub fn to_json(&self) -> Result<String> {
        Ok(to_value(self)?.to_string())
    }

    fn type_name(&self) -> &'static str {
        match self {
            HValue::Null => "null",
            HValue::Bool(_) => "a truth value",
            HValue::Number(_) => "a number",
            HValue::String(_) => "a string",
            HValue::List(_) => "a list",
            HValue::Object(_) => "an object",
        }
    }
}

impl From<bool> for HValue {
    fn from(value: bool) -> Self {
        HValue::Bool(value)
    }
}

impl From<f64> for HValue {
    fn from(value: f64) -> Self {
        HValue::Number(value)
    }
}

impl From<i32> for HValue {
    fn from(value: i32) -> Self {
        HValue::Number(value.into())
    }
}

impl From<u32> for HValue {
    fn from(value: u32) -> Self {
        HValue::Number(value.into())
    }
}

impl From<&str> for HValue {
    fn from(value: &str) -> Self {
        HValue::String(value.into())
    }
}

impl From<String> for HValue {
    fn from(value: String) -> Self {
        HValue::String(value)
    }
}

impl From<Vec<HValue>> for HValue {
    fn from(values: Vec<HValue>) -> Self {
        HValue::List(values)
    }
}

impl From<HRecord> for HValue {
    fn from(record: HRecord) -> Self {
        HValue::Object(record)
    }
}

impl<K: Into<String>, V: Into<HValue>> FromIterator<(K, V)> for HRecord {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        HRecord { fields: fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

impl IntoIterator for HRecord {
    type Item = (String, HValue);
    type IntoIter = std::collections::btree_map::IntoIter<String, HValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

fn bad_json(message: String) -> Error {
    Error::new(ErrorKind::Json, message)
}

fn from_value(value: Value) -> Result<HValue> {
    Ok(match value {
        Value::Null => HValue::Null,
        Value::Bool(value) => HValue::Bool(value),
        Value::Number(number) => HValue::Number(double(&number)?),
        Value::String(text) => HValue::String(text),
        Value::Array(values) => HValue::List(values.into_iter().map(from_value).collect::<Result<_>>()?),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, from_value(value)?)));
            HValue::Object(HRecord { fields: fields.collect::<Result<_>>()? })
        }
    })
}

/// The double that holds exactly this number.
fn double(number: &Number) -> Result<f64> {
    // Back through i128, because casts to 64 bits saturate: 2^63 as a double is not i64::MAX.
    let exact = |integer: i128| Some(integer as f64).filter(|double| *double as i128 == integer);
    let double = match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => exact(integer.into()),
        (None, Some(integer)) => exact(integer.into()),
        (None, None) => number.as_f64(),
    };
    double.ok_or_else(|| too_precise(&number.to_string()))
}

fn too_precise(number: &str) -> Error {
    bad_json(format!("the number {number} can't be held exactly by a double, which is all that a record has"))
}

fn to_value(value: &HValue) -> Result<Value> {
    Ok(match value {
        HValue::Null => Value::Null,
        HValue::Bool(value) => Value::Bool(*value),
        HValue::Number(number) => Value::Number(json_number(*number)?),
        HValue::String(text) => Value::String(text.clone()),
        HValue::List(values) => Value::Array(values.iter().map(to_value).collect::<Result<_>>()?),
        HValue::Object(record) => record.to_value()?,
    })
}

fn json_number(number: f64) -> Result<Number> {
    let whole =
        number.fract() == 0.0 && number.abs() <= EXACT && !(number == 0.0 && number.is_sign_negative());
    if whole {
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or_else(|| bad_json(format!("JSON has no number for {number}")))
}

/// Refuses integers beyond 64 bits that would be rounded: the JSON parser turns those into doubles
/// without a word. All others are checked where their value is seen.
fn check_integers(text: &str) -> Result<()> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at + 1),
            b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                check_integer(&text[at..end])?;
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let digits = bytes[start..].iter();
    start + digits.take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')).count()
}

fn check_integer(token: &str) -> Result<()> {
    // 19 digits fit into 64 bits.
    if token.len() < 20 || !token.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let exact = token.parse::<f64>().is_ok_and(|double| format!("{double:.0}") == token);
    if exact { Ok(()) } else { Err(too_precise(token)) }
}

#[cfg(feature = "serde")]
mod with_serde {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::{HRecord, bad_json};
    use crate::error::{Error, Result};

    impl HRecord {
        /// A record of any type that serializes to an object. A NaN in it becomes `null`, as in `serde_json`.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Json`](crate::ErrorKind::Json) if it is no object, or if it holds an integer that
        /// a double cannot hold.
        pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
            let value = serde_json::to_value(value).map_err(|error| bad_json(error.to_string()))?;
            Self::from_value(value)
        }

        /// The record as any type that deserializes from an object.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Json`](crate::ErrorKind::Json) if it does not fit.
        pub fn deserialize_into<T: DeserializeOwned>(&self) -> Result<T> {
            serde_json::from_value(self.to_value()?).map_err(|error| bad_json(error.to_string()))
        }
    }

    impl TryFrom<Value> for HRecord {
        type Error = Error;

        fn try_from(value: Value) -> Result<Self> {
            HRecord::from_value(value)
        }
    }

    impl TryFrom<&HRecord> for Value {
        type Error = Error;

        fn try_from(record: &HRecord) -> Result<Self> {
            record.to_value()
        }
    }

    impl Serialize for HRecord {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.to_value().map_err(S::Error::custom)?.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for HRecord {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            HRecord::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trips_with_whole_numbers_whole() {
        let text = r#"{"a":1,"b":[1.5,null,true,"x"],"c":{"d":{}},"e":-0.0,"f":1e+300,"你":"好"}"#;
        assert_eq!(HRecord::from_json(text).unwrap().to_json().unwrap(), text);
    }

    #[test]
    fn integers_that_a_double_cannot_hold_are_refused() {
        for good in [
            "9007199254740992",
            "-9007199254740992",
            "9007199254740994",
            "9223372036854775808",
            "1e300",
            "0.1",
            "36893488147419103232",
        ] {
            assert!(HRecord::from_json(&format!(r#"{{"n":{good}}}"#)).is_ok(), "{good}");
        }
        for bad in [
            "9007199254740993",
            "-9007199254740993",
            "9223372036854775807",
            "18446744073709551615",
            "36893488147419103233",
            "1e999",
        ] {
            let error = HRecord::from_json(&format!(r#"{{"n":{bad}}}"#)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Json, "{bad}");
        }
    }

    #[test]
    fn digits_in_strings_are_no_numbers() {
        let text = r#"{"n\"9":"36893488147419103233","\\":"\"36893488147419103233"}"#;
        assert!(HRecord::from_json(text).is_ok());
    }

    #[test]
    fn what_is_no_object_is_named() {
        let error = HRecord::from_json("[1]").unwrap_err();
        assert!(error.to_string().contains("a list"), "{error}");
        for text in ["", "{", "nul", "{\"a\":}", "{\"a\"", "\"\\", "{\"a\":1}x"] {
            assert_eq!(HRecord::from_json(text).unwrap_err().kind(), ErrorKind::Json, "{text}");
        }
        assert!(HRecord::from_json(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn nan_is_no_json() {
        let record = HRecord::new().with("n", f64::NAN);
        assert_eq!(record.to_json().unwrap_err().kind(), ErrorKind::Json);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn any_serde_type_goes_in_and_comes_out() {
        #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
        struct Quake {
            id: String,
            depth: f64,
            count: u32,
        }
        let quake = Quake { id: "uw1".into(), depth: 3.25, count: 7 };
        let record = HRecord::from_serialize(&quake).unwrap();
        assert_eq!(record.get("count"), Some(&HValue::Number(7.0)));
        assert_eq!(record.deserialize_into::<Quake>().unwrap(), quake);
        assert!(HRecord::from_serialize(&[1, 2]).is_err());
        assert!(HRecord::from_serialize(&std::collections::BTreeMap::from([("n", u64::MAX)])).is_err());
    }
}
