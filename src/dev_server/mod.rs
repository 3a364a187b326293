//! An HStreamDB server in this process.
