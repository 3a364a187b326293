//! A named reader that is deleted when it is not needed any more.

use std::time::Duration;

use parking_lot::Mutex;

use crate::admin::readers::NamedReaderOptions;
use crate::admin::streams::DeleteOptions;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::received::Batch;
use crate::record_id::{Offset, RecordId};

/// What a read is given beyond the time for which the server may wait.
const MARGIN: Duration = Duration::from_secs(5);

/// How long a drop tries to delete the reader.
const LAST_TRY: Duration = Duration::from_secs(5);

/// A named reader on the server that lives as long as this. Any thread may read; the server lets one read at a time.
///
/// Dropping it deletes the reader, for which it asks the server and waits 5 s at most; what fails then is logged.
/// [`close`](Self::close) does the same and tells what failed. Close it before the client: a closed client can't
/// delete it any more.
#[derive(Debug)]
pub struct NamedReader {
    client: Client,
    id: String,
    shard_id: u64,
    timeout: Duration,
    /// The record to start with: its batch comes whole.
    first: Option<RecordId>,
    deleted: Mutex<bool>,
}

impl NamedReader {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The shard that it reads.
    pub fn shard_id(&self) -> u64 {
        self.shard_id
    }

    /// Reads on: up to `max_batches` *batches* as they were appended, 0 for 100, as
    /// [`read_reader`](Client::read_reader). A call that may take less than the reader's own time-out and 5 s gets that
    /// much time. If the reader started with a record, those before it in its batch are left out.
    ///
    /// # Errors
    ///
    /// As [`read_reader`](Client::read_reader). After the node that has the reader has stopped, reads begin again
    /// where the reader started.
    pub fn read(&self, max_batches: u32) -> Result<Batch> {
        if *self.deleted.lock() {
            return Err(Error::closed("reader"));
        }
        let client = self.client.with_at_least(self.timeout.saturating_add(MARGIN));
        client.read_reader_from(&self.id, max_batches, self.first)
    }

    /// Deletes the reader. Doing so again does nothing.
    ///
    /// # Errors
    ///
    /// It could not be deleted, or nobody knows whether it was: it may be there still, and this can be called again.
    pub fn close(&self) -> Result<()> {
        self.delete(&self.client)
    }

    fn delete(&self, client: &Client) -> Result<()> {
        if *self.deleted.lock() {
            return Ok(());
        }
        client.delete_reader(&self.id, DeleteOptions::new().ignore_missing())?;
        *self.deleted.lock() = true;
        Ok(())
    }
}

impl Drop for NamedReader {
    fn drop(&mut self) {
        if let Err(error) = self.delete(&self.client.within(LAST_TRY)) {
            tracing::warn!(reader = self.id, %error, "a named reader stays on the server");
        }
    }
}

impl Client {
    /// Creates a named reader that is deleted when it is dropped.
    ///
    /// # Errors
    ///
    /// As [`create_reader`](Self::create_reader).
    pub fn named_reader(
        &self,
        stream: &str,
        reader_id: &str,
        options: NamedReaderOptions,
    ) -> Result<NamedReader> {
        let (start, timeout) = (options.start, options.timeout);
        let shard_id = self.create_reader(stream, reader_id, options)?;
        let first = match start {
            Offset::Record(id) => Some(id),
            _ => None,
        };
        let (client, id) = (self.clone(), reader_id.to_owned());
        Ok(NamedReader { client, id, shard_id, timeout, first, deleted: Mutex::new(false) })
    }

    /// Creates a named reader, reads with it, and deletes it whatever happens: also when `read` fails or panics.
    ///
    /// ```
    /// # fn main() -> hstreamdb::Result<()> {
    /// # #[cfg(feature = "dev-server")] {
    /// use hstreamdb::{Client, NamedReaderOptions, Record, StreamOptions};
    ///
    /// # let server = hstreamdb::dev_server::DevServer::start()?;
    /// # let client = Client::connect(server.url())?;
    /// client.create_stream("quakes", StreamOptions::new())?;
    /// client.append_one("quakes", &Record::raw("5.3"))?;
    /// let batch = client.with_reader("quakes", "once", NamedReaderOptions::new(), |reader| reader.read(10))?;
    /// assert_eq!(batch.iter().next().expect("a record").payload(), b"5.3");
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `read`; those of [`create_reader`](Self::create_reader); if `read` went well, those of
    /// [`close`](NamedReader::close).
    pub fn with_reader<T>(
        &self,
        stream: &str,
        reader_id: &str,
        options: NamedReaderOptions,
        read: impl FnOnce(&NamedReader) -> Result<T>,
    ) -> Result<T> {
        let reader = self.named_reader(stream, reader_id, options)?;
        let value = read(&reader)?;
        reader.close()?;
        Ok(value)
    }
}
