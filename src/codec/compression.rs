//! Compressed batches: one blob per batch.

use std::fmt;
use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::error::{Error, ErrorKind, Result};
use crate::proto::CompressionType;

/// How batches are compressed, and how hard.
///
/// gzip is the one compression that all clients of HStreamDB and the server read; zstd is faster at the
/// same size, but stops consumers of the published Java and Python clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    pub(crate) kind: CompressionKind,
    /// `None` is the usual one.
    pub(crate) level: Option<i32>,
}

/// The compressions that the protocol knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompressionKind {
    /// Not compressed.
    #[default]
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard. Needs the feature `zstd`, which is on by default.
    Zstd,
}

impl Compression {
    /// No compression.
    pub const fn none() -> Self {
        Compression { kind: CompressionKind::None, level: None }
    }

    /// gzip at level 6.
    pub const fn gzip() -> Self {
        Compression { kind: CompressionKind::Gzip, level: None }
    }

    /// zstd at level 3.
    pub const fn zstd() -> Self {
        Compression { kind: CompressionKind::Zstd, level: None }
    }

    /// Another level: 0 to 9 for gzip, 1 to 22 for zstd. Checked where the compression is used.
    #[must_use]
    pub const fn with_level(self, level: i32) -> Self {
        Compression { level: Some(level), ..self }
    }

    /// Which compression it is.
    pub fn kind(&self) -> CompressionKind {
        self.kind
    }

    /// Refuses levels that do not exist, and what this build lacks.
    pub(crate) fn check(&self) -> Result<()> {
        let (name, levels) = match self.kind {
            CompressionKind::None => return Ok(()),
            CompressionKind::Gzip => ("gzip", 0..=9),
            CompressionKind::Zstd if cfg!(feature = "zstd") => ("zstd", 1..=22),
            CompressionKind::Zstd => return Err(lacks_zstd()),
        };
        match self.level {
            Some(level) if !levels.contains(&level) => Err(Error::invalid_argument(format!(
                "compression level {level} is out of range, {name} has {} to {}",
                levels.start(),
                levels.end()
            ))),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for CompressionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CompressionKind::None => "none",
            CompressionKind::Gzip => "gzip",
            CompressionKind::Zstd => "zstd",
        })
    }
}

impl std::str::FromStr for CompressionKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(CompressionKind::None),
            "gzip" => Ok(CompressionKind::Gzip),
            "zstd" => Ok(CompressionKind::Zstd),
            _ => Err(Error::invalid_argument(format!(
                "unknown compression `{text}`; there are none, gzip and zstd"
            ))),
        }
    }
}

impl From<CompressionKind> for Compression {
    fn from(kind: CompressionKind) -> Self {
        Compression { kind, level: None }
    }
}

fn lacks_zstd() -> Error {
    Error::new(ErrorKind::Compression, "this build has no zstd; its feature `zstd` is off")
}

/// Compresses the bytes of a batch, or leaves them as they are when they do not shrink.
pub(crate) fn pack(plain: Bytes, compression: Compression) -> Result<(CompressionType, Bytes)> {
    let (kind, packed) = match compression.kind {
        CompressionKind::None => return Ok((CompressionType::None, plain)),
        CompressionKind::Gzip => (CompressionType::Gzip, gzip(&plain, compression.level.unwrap_or(6))),
        CompressionKind::Zstd => (CompressionType::Zstd, zstd(&plain, compression.level.unwrap_or(3))?),
    };
    let packed = packed.map_err(|error| {
        Error::new(ErrorKind::Compression, "a batch can't be compressed").with_source(error)
    })?;
    if packed.len() < plain.len() { Ok((kind, packed.into())) } else { Ok((CompressionType::None, plain)) }
}

fn gzip(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let level = flate2::Compression::new(u32::try_from(level).unwrap_or(6).min(9));
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 2), level);
    encoder.write_all(plain)?;
    encoder.finish()
}

/// In one call, so that the frame states its content size: the server reads others as empty.
#[cfg(feature = "zstd")]
fn zstd(plain: &[u8], level: i32) -> Result<io::Result<Vec<u8>>> {
    Ok(zstd::bulk::compress(plain, level))
}

#[cfg(not(feature = "zstd"))]
fn zstd(_plain: &[u8], _level: i32) -> Result<io::Result<Vec<u8>>> {
    Err(lacks_zstd())
}

/// Decompresses the payload of a batch, up to `limit` bytes.
///
/// It reads whatever the other clients write: gzip streams that end without their last block and trailer,
/// zstd frames that do not state their size, and several members or frames in a row.
pub(crate) fn unpack(kind: i32, payload: Bytes, limit: usize) -> Result<Bytes> {
    match CompressionType::try_from(kind) {
        Ok(CompressionType::None) if payload.len() > limit => Err(too_large(limit)),
        Ok(CompressionType::None) => Ok(payload),
        Ok(CompressionType::Gzip) => read_up_to(MultiGzDecoder::new(&payload[..]), limit, OnEarlyEnd::Accept),
        Ok(CompressionType::Zstd) => unzstd(&payload, limit),
        Err(_) => {
            Err(Error::new(ErrorKind::Compression, format!("a batch has the unknown compression {kind}")))
        }
    }
}

#[cfg(feature = "zstd")]
fn unzstd(payload: &[u8], limit: usize) -> Result<Bytes> {
    let decoder = zstd::stream::read::Decoder::with_buffer(payload).map_err(corrupt)?;
    read_up_to(decoder, limit, OnEarlyEnd::Refuse)
}

#[cfg(not(feature = "zstd"))]
fn unzstd(_payload: &[u8], _limit: usize) -> Result<Bytes> {
    Err(lacks_zstd())
}

/// What a stream that ends before its end means.
#[derive(PartialEq)]
enum OnEarlyEnd {
    /// The published Go client never finishes its gzip streams.
    Accept,
    #[cfg(feature = "zstd")]
    Refuse,
}

fn read_up_to(mut decoder: impl Read, limit: usize, on_early_end: OnEarlyEnd) -> Result<Bytes> {
    const STEP: usize = 64 * 1024;
    let mut plain = Vec::new();
    loop {
        let filled = plain.len();
        if filled > limit {
            return Err(too_large(limit));
        }
        plain.resize(filled + STEP.max(filled / 2), 0);
        match decoder.read(&mut plain[filled..]) {
            Ok(read) => plain.truncate(filled + read),
            Err(error) => {
                plain.truncate(filled);
                let early_end = error.kind() == io::ErrorKind::UnexpectedEof && filled > 0;
                if !(early_end && on_early_end == OnEarlyEnd::Accept) {
                    return Err(corrupt(error));
                }
            }
        }
        if plain.len() == filled {
            return Ok(plain.into());
        }
    }
}

fn corrupt(error: io::Error) -> Error {
    Error::new(ErrorKind::Compression, "a batch can't be decompressed").with_source(error)
}

fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("a batch is larger than {limit} bytes when decompressed, the limit for one"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    fn text(len: usize) -> Bytes {
        (0..len).map(|at| b"abcdefgh"[(at / 7 + at / 50) % 8]).collect::<Vec<_>>().into()
    }

    fn all() -> Vec<Compression> {
        let mut all = vec![Compression::none(), Compression::gzip(), Compression::gzip().with_level(1)];
        if cfg!(feature = "zstd") {
            all.extend([Compression::zstd(), Compression::zstd().with_level(19)]);
        }
        all
    }

    #[test]
    fn what_is_packed_is_unpacked_again() {
        for compression in all() {
            for len in [1, 100, 65_536, 300_000] {
                let (kind, packed) = pack(text(len), compression).unwrap();
                assert_eq!(unpack(kind as i32, packed, LIMIT).unwrap(), text(len), "{compression:?} {len}");
            }
        }
    }

    #[test]
    fn what_does_not_shrink_is_left_plain() {
        for compression in all() {
            let (kind, packed) = pack(Bytes::from_static(b"x"), compression).unwrap();
            assert_eq!((kind, &packed[..]), (CompressionType::None, &b"x"[..]));
        }
    }

    #[test]
    fn bombs_are_cut_off_at_the_limit() {
        for compression in all() {
            let (kind, packed) = pack(Bytes::from(vec![0; LIMIT + 1]), compression).unwrap();
            let error = unpack(kind as i32, packed, LIMIT).unwrap_err();
            assert!(error.to_string().contains("1048576"), "{error}");
        }
    }

    #[test]
    fn garbage_and_unknown_kinds_are_errors() {
        for kind in [1, 2, 3, -1] {
            assert!(unpack(kind, Bytes::from_static(b"garbage that is no stream"), LIMIT).is_err(), "{kind}");
        }
    }

    #[test]
    fn levels_that_do_not_exist_are_named() {
        let error = Compression::gzip().with_level(10).check().unwrap_err();
        assert!(error.to_string().contains("level 10"), "{error}");
        assert!(all().iter().all(|compression| compression.check().is_ok()));
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn zstd_frames_state_their_content_size() {
        let (_, packed) = pack(text(5000), Compression::zstd()).unwrap();
        assert_eq!(zstd::zstd_safe::get_frame_content_size(&packed).unwrap(), Some(5000));
    }
}
