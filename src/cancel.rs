//! Ending a wait from another thread, or from a signal handler.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::{Error, ErrorKind, Result};
use crate::fork;

/// Ends the calls it was given to: each of them returns
/// [`Interrupted`](crate::ErrorKind::Interrupted), and no other call on the same handle is touched.
///
/// Clones are the same object. A trigger before a call counts as well, until [`reset`](Self::reset).
/// Making one starts no thread.
#[derive(Clone)]
pub struct Cancel {
    triggered: Arc<AtomicBool>,
    bell: Arc<Bell>,
}

impl Cancel {
    /// A cancel object that is not triggered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Resources`] if the process has no descriptors left.
    pub fn new() -> Result<Self> {
        Ok(Cancel { triggered: Arc::default(), bell: Bell::of_this_process()? })
    }

    /// Ends the calls. Any thread may do this, and so may a signal handler: it sets a flag and writes one
    /// byte to a pipe that does not block.
    pub fn trigger(&self) {
        self.triggered.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Whether it was triggered since it was made or reset.
    pub fn is_triggered(&self) -> bool {
        self.triggered.load(Ordering::SeqCst)
    }

    /// Makes it ready again.
    pub fn reset(&self) {
        self.triggered.store(false, Ordering::SeqCst);
    }

    pub(crate) async fn wait(&self) {
        loop {
            let mut rung = std::pin::pin!(self.bell.rung.notified());
            // Listen before looking, or a trigger between the two would be missed.
            rung.as_mut().enable();
            if self.is_triggered() {
                return;
            }
            rung.await;
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("triggered", &self.is_triggered()).finish()
    }
}

/// What all triggers of the process ring, and the runtime listens to. One pipe serves all cancel objects,
/// so that one per call is cheap.
pub(crate) struct Bell {
    rung: Notify,
    generation: u32,
    #[cfg(unix)]
    pipe: pipe::Pipe,
}

impl Bell {
    /// The bell of this process; a child does not share its parent's.
    pub(crate) fn of_this_process() -> Result<Arc<Bell>> {
        static BELL: Mutex<Option<Arc<Bell>>> = Mutex::new(None);
        let generation = fork::generation();
        let mut bell = BELL.lock();
        if let Some(bell) = bell.as_ref().filter(|bell| bell.generation == generation) {
            return Ok(bell.clone());
        }
        let new = Arc::new(Bell {
            rung: Notify::new(),
            generation,
            #[cfg(unix)]
            pipe: pipe::Pipe::new().map_err(|error| {
                Error::new(ErrorKind::Resources, "no pipe for a cancel object could be made")
                    .with_source(error)
            })?,
        });
        // The parent's is kept as it is: its descriptors are the parent's.
        std::mem::forget(bell.replace(new.clone()));
        Ok(new)
    }

    #[cfg(unix)]
    fn ring(&self) {
        if self.generation == fork::generation() {
            self.pipe.ring();
        }
    }

    #[cfg(not(unix))]
    fn ring(&self) {
        self.rung.notify_waiters();
    }

    /// Wakes the waits whenever the bell is rung. Runs on the private runtime, as long as that does.
    #[cfg(unix)]
    pub(crate) async fn listen(self: Arc<Self>) {
        let Ok(pipe) = self.pipe.listener() else { return };
        let mut bytes = [0; 64];
        while pipe.readable().await.is_ok() {
            while pipe.try_read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
            self.rung.notify_waiters();
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn listen(self: Arc<Self>) {}
}

#[cfg(unix)]
mod pipe {
    use std::io;
    use std::os::fd::OwnedFd;

    use nix::errno::Errno;
    use nix::fcntl::OFlag;
    use nix::unistd::{pipe2, write};
    use tokio::net::unix::pipe::Receiver;

    pub(super) struct Pipe {
        read: OwnedFd,
        write: OwnedFd,
    }

    impl Pipe {
        pub(super) fn new() -> io::Result<Self> {
            let (read, write) = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
            Ok(Pipe { read, write })
        }

        /// A full pipe has rung already. The interrupted code must not see a changed errno.
        pub(super) fn ring(&self) {
            let errno = Errno::last();
            let _ = write(&self.write, &[1]);
            errno.set();
        }

        /// Another descriptor of the reading end, for the runtime that listens now.
        pub(super) fn listener(&self) -> io::Result<Receiver> {
            Receiver::from_owned_fd(self.read.try_clone()?)
        }
    }
}
