//! A descriptor that is readable while there is something to get, for event loops.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Result};

/// Made when somebody first asks for it. There is a byte in it while there is something to get, and no other.
#[derive(Default)]
pub(crate) struct Ready {
    pipe: OnceLock<Pipe>,
}

struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
    is_raised: Mutex<bool>,
}

impl Ready {
    /// The descriptor. `is_ready` says whether there is something to get.
    pub(crate) fn descriptor(&self, is_ready: impl FnOnce() -> bool) -> Result<BorrowedFd<'_>> {
        if self.pipe.get().is_none() {
            let pipe = Pipe::new().map_err(|error| {
                Error::new(ErrorKind::Resources, "a descriptor can't be made").with_source(error)
            })?;
            // If another thread was faster, its one counts.
            let _ = self.pipe.set(pipe);
        }
        self.update(is_ready);
        let pipe =
            self.pipe.get().ok_or_else(|| Error::new(ErrorKind::Resources, "there is no descriptor"))?;
        Ok(pipe.reader.as_fd())
    }

    /// To be called after each change of what there is to get. `is_ready` is asked while no other change is told, so
    /// the last one to be told has the last word.
    pub(crate) fn update(&self, is_ready: impl FnOnce() -> bool) {
        if let Some(pipe) = self.pipe.get() {
            let mut is_raised = pipe.is_raised.lock();
            let is_ready = is_ready();
            if is_ready != *is_raised && pipe.show(is_ready).is_ok() {
                *is_raised = is_ready;
            }
        }
    }
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Pipe { reader, writer, is_raised: Mutex::new(false) })
    }

    /// Never blocks: there is room for more than one byte, and it is read only where it is known to be there.
    fn show(&self, is_ready: bool) -> io::Result<()> {
        if is_ready { (&self.writer).write_all(&[0]) } else { (&self.reader).read_exact(&mut [0]) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut asked = [PollFd::new(descriptor, PollFlags::POLLIN)];
        poll(&mut asked, PollTimeout::ZERO).unwrap() == 1
    }

    #[test]
    fn it_is_readable_exactly_while_there_is_something() {
        let ready = Ready::default();
        ready.update(|| panic!("nobody has asked for it"));
        let first = ready.descriptor(|| true).unwrap();
        assert!(is_readable(first));
        for is_ready in [true, false, false, true, false] {
            ready.update(|| is_ready);
            assert_eq!(is_readable(first), is_ready);
        }
        assert_eq!(ready.descriptor(|| false).unwrap().as_raw_fd(), first.as_raw_fd());
    }
}
