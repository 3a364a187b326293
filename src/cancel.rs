//! Ending a wait from another thread, or from a signal handler.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(all(unix, feature = "ffi"))]
use std::sync::{OnceLock, Weak};

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
    flag: Arc<Flag>,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Flag {
    triggered: AtomicBool,
    /// How often it was triggered: a wait that went on after one must see the next.
    triggers: AtomicUsize,
    /// Triggers when it is written to. Made when somebody asks for it.
    #[cfg(all(unix, feature = "ffi"))]
    own: OnceLock<pipe::Pipe>,
}

impl Cancel {
    /// A cancel object that is not triggered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Resources`] if the process has no descriptors left.
    pub fn new() -> Result<Self> {
        Ok(Cancel { flag: Arc::default(), bell: Bell::of_this_process()? })
    }

    /// Ends the calls. Any thread may do this, and so may a signal handler: it sets a flag and writes one
    /// byte to a pipe that does not block.
    pub fn trigger(&self) {
        self.flag.triggers.fetch_add(1, Ordering::SeqCst);
        self.flag.triggered.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Whether it was triggered since it was made or reset.
    pub fn is_triggered(&self) -> bool {
        #[cfg(all(unix, feature = "ffi"))]
        if self.take_written() {
            self.trigger();
        }
        self.flag.triggered.load(Ordering::SeqCst)
    }

    /// Makes it ready again.
    pub fn reset(&self) {
        #[cfg(all(unix, feature = "ffi"))]
        self.take_written();
        self.flag.triggered.store(false, Ordering::SeqCst);
    }

    /// How often it was triggered, if it is now.
    pub(crate) fn triggers(&self) -> Option<usize> {
        self.is_triggered().then(|| self.flag.triggers.load(Ordering::SeqCst))
    }

    /// Waits until it is triggered, and was so once more than that if it says how often. Returns how often.
    pub(crate) async fn triggered_after(&self, triggers: Option<usize>) -> usize {
        loop {
            let mut rung = std::pin::pin!(self.bell.rung.notified());
            // Listen before looking, or a trigger between the two would be missed.
            rung.as_mut().enable();
            if let Some(now) = self.triggers().filter(|now| triggers != Some(*now)) {
                return now;
            }
            rung.await;
        }
    }

    /// A descriptor that triggers when something is written to it. It does not block, and is the object's.
    #[cfg(all(unix, feature = "ffi"))]
    pub(crate) fn write_fd(&self) -> Option<std::os::fd::RawFd> {
        if self.flag.own.get().is_none() && self.flag.own.set(pipe::Pipe::new().ok()?).is_ok() {
            self.bell.watch(Arc::downgrade(&self.flag));
        }
        self.flag.own.get().map(pipe::Pipe::write_fd)
    }

    /// Takes what was written to the descriptor, and says whether that was anything.
    #[cfg(all(unix, feature = "ffi"))]
    fn take_written(&self) -> bool {
        let own = self.flag.own.get().filter(|_| self.bell.generation == fork::generation());
        own.is_some_and(pipe::Pipe::drain)
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
    /// Objects that have a pipe of their own.
    #[cfg(all(unix, feature = "ffi"))]
    watched: Mutex<Watched>,
    #[cfg(all(unix, feature = "ffi"))]
    added: Notify,
}

#[cfg(all(unix, feature = "ffi"))]
#[derive(Default)]
struct Watched {
    count: usize,
    /// With what the count was.
    flags: Vec<(usize, Weak<Flag>)>,
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
            #[cfg(all(unix, feature = "ffi"))]
            watched: Mutex::default(),
            #[cfg(all(unix, feature = "ffi"))]
            added: Notify::new(),
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
        #[cfg(feature = "ffi")]
        tokio::spawn(self.clone().follow_all());
        let Ok(pipe) = self.pipe.listener() else { return };
        let mut bytes = [0; 64];
        while pipe.readable().await.is_ok() {
            while pipe.try_read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
            self.rung.notify_waiters();
        }
    }

    #[cfg(all(unix, feature = "ffi"))]
    fn watch(&self, flag: Weak<Flag>) {
        let mut watched = self.watched.lock();
        watched.flags.retain(|(_, flag)| flag.strong_count() > 0);
        let number = watched.count;
        watched.flags.push((number, flag));
        watched.count += 1;
        self.added.notify_one();
    }

    /// Listens to the pipes of all objects that have one, and of those that will.
    #[cfg(all(unix, feature = "ffi"))]
    async fn follow_all(self: Arc<Self>) {
        let mut from = 0;
        loop {
            let new: Vec<_> = {
                let watched = self.watched.lock();
                let new = watched.flags.iter().filter(|(number, _)| *number >= from);
                let new = new.map(|(_, flag)| flag.clone()).collect();
                from = watched.count;
                new
            };
            for flag in new {
                tokio::spawn(self.clone().follow(flag));
            }
            self.added.notified().await;
        }
    }

    /// Listens until the object is gone, and the writing end of its pipe with it.
    #[cfg(all(unix, feature = "ffi"))]
    async fn follow(self: Arc<Self>, flag: Weak<Flag>) {
        let listener = flag.upgrade().and_then(|flag| flag.own.get().and_then(|own| own.listener().ok()));
        let Some(pipe) = listener else { return };
        let mut bytes = [0; 64];
        while pipe.readable().await.is_ok() {
            match pipe.try_read(&mut bytes) {
                Ok(0) => return,
                Ok(_) => {
                    let Some(flag) = flag.upgrade() else { return };
                    Cancel { flag, bell: self.clone() }.trigger();
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn listen(self: Arc<Self>) {}
}

#[cfg(unix)]
mod pipe {
    use std::io;
    use std::os::fd::OwnedFd;
    #[cfg(feature = "ffi")]
    use std::os::fd::{AsRawFd, RawFd};

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

        #[cfg(feature = "ffi")]
        pub(super) fn write_fd(&self) -> RawFd {
            self.write.as_raw_fd()
        }

        /// Reads all there is, and says whether that was anything.
        #[cfg(feature = "ffi")]
        pub(super) fn drain(&self) -> bool {
            let (mut bytes, mut any) = ([0; 64], false);
            while nix::unistd::read(&self.read, &mut bytes).is_ok_and(|count| count > 0) {
                any = true;
            }
            any
        }

        /// Another descriptor of the reading end, for the runtime that listens now.
        pub(super) fn listener(&self) -> io::Result<Receiver> {
            Receiver::from_owned_fd(self.read.try_clone()?)
        }
    }
}

#[cfg(all(test, unix, feature = "ffi"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::Runtime;
    use crate::wait::{Check, Ended, Wait, wait};

    #[test]
    fn what_is_written_to_the_descriptor_triggers_this_object_and_no_other() {
        let (cancel, other) = (Cancel::new().unwrap(), Cancel::new().unwrap());
        let descriptor = cancel.write_fd().unwrap();
        assert_eq!(cancel.write_fd(), Some(descriptor));
        assert_ne!(other.write_fd(), Some(descriptor));
        let write = || cancel.flag.own.get().unwrap().ring();
        // Nobody listens yet.
        write();
        assert!(cancel.is_triggered() && !other.is_triggered());
        write();
        cancel.reset();
        assert!(!cancel.is_triggered());
        // Each runtime listens, to what was there before it and what comes later.
        for _ in 0..2 {
            let runtime = Runtime::acquire().unwrap();
            let late = Cancel::new().unwrap();
            late.write_fd().unwrap();
            for (waited_for, cancel) in [("early", &cancel), ("late", &late)] {
                std::thread::scope(|scope| {
                    let limit = Wait::from(Duration::from_secs(20)).or_until(cancel);
                    let waiting = scope.spawn(move || wait(std::future::pending::<()>(), limit.until()));
                    std::thread::sleep(Duration::from_millis(20));
                    cancel.flag.own.get().unwrap().ring();
                    assert_eq!(waiting.join().unwrap(), Err(Ended::Interrupted), "{waited_for}");
                });
                cancel.reset();
            }
            drop(runtime);
        }
        assert!(!other.is_triggered());
    }

    #[test]
    fn a_wait_that_went_on_after_one_trigger_sees_the_next_without_a_reset() {
        let runtime = Runtime::acquire().unwrap();
        let cancel = Cancel::new().unwrap();
        cancel.trigger();
        let (asked, times) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let check = Check::new(move || {
                asked.send(()).unwrap();
                false
            });
            let limit = Wait::from(Duration::from_millis(400)).or_until(&cancel).asking(check);
            let waiting = scope.spawn(move || wait(std::future::pending::<()>(), limit.until()));
            times.recv().unwrap();
            cancel.trigger();
            times.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!(waiting.join().unwrap(), Err(Ended::Timeout));
            // Asked once for each, however often it looked.
            assert!(times.recv().is_err());
        });
        drop(runtime);
    }
}
