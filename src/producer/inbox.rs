//! What waits for a thread that does nothing else.
//!
//! Not a channel: its readers look again and again before they sleep, and give way to others in between. That costs as
//! much as the reports that come once a batch.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

/// A queue whose readers sleep as soon as it is empty. What bounds it is what its items keep of a budget.
pub(crate) struct Inbox<T> {
    state: Mutex<State<T>>,
    came: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    is_closed: bool,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        let state = State { items: VecDeque::new(), is_closed: false };
        Inbox { state: Mutex::new(state), came: Condvar::new() }
    }

    /// Puts an item at the end; gives it back after the close.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(item);
        }
        state.items.push_back(item);
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// Takes no more. What is there is still handed out.
    pub(crate) fn close(&self) {
        self.state.lock().is_closed = true;
        self.came.notify_all();
    }

    /// Waits for the next item; `None` once there will be none.
    pub(crate) fn next(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            if state.is_closed {
                return None;
            }
            self.came.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_comes_to_one_reader_and_the_close_ends_all_behind_the_last() {
        let inbox = Inbox::new();
        let mut received: Vec<i32> = std::thread::scope(|scope| {
            let read = || std::iter::from_fn(|| inbox.next()).collect::<Vec<_>>();
            let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
            for item in 0..1000 {
                inbox.push(item).unwrap();
            }
            inbox.close();
            readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
        });
        received.sort_unstable();
        assert_eq!(received, (0..1000).collect::<Vec<_>>());
        assert_eq!(inbox.push(7), Err(7));
    }
}
