//! The threads that compress sealed batches: not the caller's, whose append would then cost what it seals,
//! and not the I/O thread, which has other things to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::codec::batch;
use crate::codec::compression::Compression;
use crate::error::Result;
use crate::producer::inbox::Inbox;
use crate::proto::BatchedRecord;
use crate::runtime::{compression_threads, spawn_thread};

type Job = Box<dyn FnOnce() + Send>;

/// A share in the process's compressing threads: one less than there are cores, at least one, started by the
/// first producer that compresses and ended by the last.
#[derive(Clone)]
pub(crate) struct Compressor {
    threads: Arc<Threads>,
    compression: Compression,
}

struct Threads {
    /// Bounded by the byte budgets of the producers whose batches wait here.
    jobs: Arc<Inbox<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Compressor {
    pub(crate) fn acquire(compression: Compression) -> Result<Self> {
        static CURRENT: Mutex<Weak<Threads>> = Mutex::new(Weak::new());
        let mut current = CURRENT.lock();
        let threads = match current.upgrade() {
            Some(threads) => threads,
            None => {
                let threads = Arc::new(Threads::start()?);
                *current = Arc::downgrade(&threads);
                threads
            }
        };
        Ok(Compressor { threads, compression })
    }

    /// Compresses a batch elsewhere.
    pub(crate) fn submit(&self, records: Bytes, count: u32) -> oneshot::Receiver<Result<BatchedRecord>> {
        let (done, result) = oneshot::channel();
        let compression = self.compression;
        let job = Box::new(move || {
            let _ = done.send(batch::seal(records, count, compression));
        });
        // It is not closed before the last share is dropped; else the receiver learns it by the drop of its sender.
        let _ = self.threads.jobs.push(job);
        result
    }
}

impl Threads {
    fn start() -> Result<Self> {
        let mut threads = Threads { jobs: Arc::new(Inbox::new()), threads: Vec::new() };
        for number in 0..compression_threads() {
            let jobs = threads.jobs.clone();
            let body = move || std::iter::from_fn(|| jobs.next()).for_each(run);
            threads.threads.push(spawn_thread(format!("hstream-z-{number}"), body)?);
        }
        Ok(threads)
    }
}

/// A bug in one job leaves the thread to the others; who waits for it learns that by the drop of its sender.
fn run(job: Job) {
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        tracing::error!("a batch was not compressed: that panicked");
    }
}

impl Drop for Threads {
    /// Nothing waits to be compressed any more, so they end at once.
    fn drop(&mut self) {
        self.jobs.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_one_job_leaves_the_threads_to_the_others() {
        let compressor = Compressor::acquire(Compression::gzip()).unwrap();
        let jobs = &compressor.threads.jobs;
        // More than there are threads.
        for _ in 0..compression_threads() + 1 {
            assert!(jobs.push(Box::new(|| panic!("on purpose"))).is_ok());
        }
        let result = compressor.submit(Bytes::from_static(b"x"), 1);
        assert!(result.blocking_recv().unwrap().is_ok());
    }
}
