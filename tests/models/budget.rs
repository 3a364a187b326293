//! The budget: never over its limit, back to nothing, first come first served, and left alone by who gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::thread;

use crate::closing::Closing;
use crate::producer::flow::{Budget, Credit, Ends, Patience, Refused, SharedBudget};
use crate::scheduled::{NOTED_IN, Queue, step};
use crate::wait::{Ended, Wait};

fn ends(closing: &Closing) -> Ends<'_> {
    Ends::new(closing, None)
}

/// What several threads hold together, counted without steps of its own.
#[derive(Default)]
struct Held(AtomicUsize);

impl Held {
    fn while_holding(&self, amount: usize, limit: usize) {
        let all = self.0.fetch_add(amount, Ordering::SeqCst) + amount;
        assert!(all <= limit, "{all} of {limit} are held");
        step();
        self.0.fetch_sub(amount, Ordering::SeqCst);
    }
}

pub(crate) fn never_over_the_limit() {
    const LIMIT: usize = 10;
    let (credit, held) = (Arc::new(Credit::new(LIMIT)), Arc::new(Held::default()));
    // The last one is larger than all there is, and is let in alone.
    let threads = [3, 7, 4, 25].map(|amount| {
        let (credit, held) = (credit.clone(), held.clone());
        thread::spawn(move || {
            for wait in [Wait::forever(), Wait::no()] {
                match credit.take(amount, &Patience::of(&wait), ends(&Closing::default()), || ()) {
                    Ok(taken) => {
                        assert_eq!(taken, amount.min(LIMIT));
                        assert!(credit.in_use() >= taken);
                        held.while_holding(taken, LIMIT);
                        credit.give_back(taken);
                    }
                    Err(refused) => assert!(wait.is_no() && refused == Refused::Full),
                }
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(credit.in_use(), 0);
}

pub(crate) fn first_come_first_served() {
    let credit = Arc::new(Credit::new(4));
    let (came, served) = (Queue::default(), Queue::default());
    assert_eq!(credit.take(4, &Patience::none(), ends(&Closing::default()), || ()), Ok(4));
    // All of it each, or more, so that the order in which they have it can be seen.
    let threads = [4, 9, 4].map(|amount| {
        let (credit, came, served) = (credit.clone(), came.clone(), served.clone());
        thread::spawn(move || {
            NOTED_IN.with(|queue| *queue.borrow_mut() = Some(came.clone()));
            let wait = Wait::forever();
            let taken = credit.take(amount, &Patience::of(&wait), ends(&Closing::default()), || ()).unwrap();
            let waited = came.lock().unwrap().contains(&thread::current().id());
            if waited {
                served.lock().unwrap().push(thread::current().id());
            }
            credit.give_back(taken);
        })
    });
    credit.give_back(4);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*came.lock().unwrap(), *served.lock().unwrap());
    assert_eq!(credit.in_use(), 0);
}

pub(crate) fn who_gives_up_leaves_no_trace() {
    let credit = Arc::new(Credit::new(10));
    let bell = Arc::new(Closing::default());
    assert_eq!(credit.take(6, &Patience::none(), ends(&Closing::default()), || ()), Ok(6));
    let threads = [7, 10, 5].map(|amount| {
        let (credit, bell) = (credit.clone(), bell.clone());
        thread::spawn(move || {
            let wait = Wait::until_rung(&bell);
            match credit.take(amount, &Patience::of(&wait), ends(&Closing::default()), || ()) {
                Ok(taken) => credit.give_back(taken),
                Err(refused) => assert_eq!(refused, Refused::Ended(Ended::Timeout)),
            }
        })
    });
    let ringing = thread::spawn(move || bell.close());
    credit.give_back(6);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    ringing.join().unwrap();
    assert_eq!(credit.in_use(), 0);
    assert_eq!(
        credit.take(10, &Patience::none(), ends(&Closing::default()), || ()),
        Ok(10),
        "all of it is there"
    );
}

pub(crate) fn shared_whole_or_not_at_all() {
    const SHARED: usize = 10;
    let (shared, held) = (Arc::new(SharedBudget::new(SHARED)), Arc::new(Held::default()));
    let budgets = [8, 100].map(|own| Arc::new(Budget::new(own, Some(shared.clone()))));
    let (bell, closing) = (Arc::new(Closing::default()), Arc::new(Closing::default()));
    let threads = [(0, 5), (0, 9), (1, 6), (1, 50)].map(|(index, amount)| {
        let (budget, held, bell, closing) =
            (budgets[index].clone(), held.clone(), bell.clone(), closing.clone());
        thread::spawn(move || {
            // One of each two may give up, and is closed at some time.
            let wait = if amount % 2 == 1 { Wait::until_rung(&bell) } else { Wait::forever() };
            if let Ok(taken) = budget.take(amount, &Patience::of(&wait), ends(&closing), || ()) {
                assert_eq!(taken, budget.amount_for(amount));
                held.while_holding(taken, SHARED);
                budget.give_back(taken);
            }
        })
    });
    let ending = thread::spawn(move || {
        bell.close();
        closing.close();
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    ending.join().unwrap();
    assert_eq!(budgets.each_ref().map(|budget| budget.in_use()), [0, 0]);
    let all = budgets[1].take(SHARED, &Patience::none(), ends(&Closing::default()), || ());
    assert_eq!(all, Ok(SHARED), "all of what is shared is there");
}

pub(crate) fn close_ends_waits() {
    let (credit, closing) = (Arc::new(Credit::new(1)), Arc::new(Closing::default()));
    // Never given back.
    assert_eq!(credit.take(1, &Patience::none(), ends(&closing), || ()), Ok(1));
    let threads = [1, 1, 5].map(|amount| {
        let (credit, closing) = (credit.clone(), closing.clone());
        thread::spawn(move || {
            let forever = Wait::forever();
            let refused = credit.take(amount, &Patience::of(&forever), ends(&closing), || ());
            assert_eq!(refused, Err(Refused::Closed));
        })
    });
    closing.close();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(credit.in_use(), 1);
}
