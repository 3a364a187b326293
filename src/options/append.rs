//! The options of appends without a producer.

use super::{ConfigOption, level, shown_level};
use crate::codec::compression::Compression;

/// All of them. The keys are the setters' names with dots.
pub(crate) const APPEND: &[ConfigOption<Compression>] = &[
    option!(
        "compression.kind",
        Word,
        "none, gzip, zstd",
        "How the batches of this call are compressed.",
        |c, v| c.kind = v.parse()?,
        c.kind.to_string()
    ),
    option!(
        "compression.level",
        Text,
        "gzip 0 to 9, zstd 1 to 22, or default",
        "And how hard.",
        |c, v| c.level = level(v)?,
        shown_level(c.level)
    ),
];

#[cfg(feature = "ffi")]
impl Compression {
    /// Sets an option of appends by text, as [`ProducerConfig::set`](crate::ProducerConfig::set) does.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> crate::error::Result<()> {
        super::set(APPEND, self, key, value)
    }
}
