//! The words of this crate to the bytes of the wire, and back. No network, no clock.

pub(crate) mod wire;
pub(crate) mod payload;
pub(crate) mod record;
pub(crate) mod plain;
pub(crate) mod batch;
pub(crate) mod append;
pub(crate) mod received;
pub(crate) mod encoded_id;
pub(crate) mod acks;
pub(crate) mod compression;
pub(crate) mod ids;
