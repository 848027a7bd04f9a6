//! Calls in flight: how many calls of callers are open at a time, so that a crowd is refused early instead of served late.
//!
//! A caller may hold at most as many calls as are still free afterwards (dynamic thresholds; Choudhury and Hahne, 1998): one
//! caller alone gets half of them, and a caller that holds none finds room until all are taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls of all callers.
#[derive(Debug)]
pub(super) struct InFlight {
    most: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_caller: HashMap<String, usize>,
}

/// An open call of a caller. Dropping it ends the call.
#[derive(Debug)]
pub(in crate::api) struct Flying {
    all: Arc<InFlight>,
    caller: String,
}

impl InFlight {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Begins a call, or returns whose bound is reached: that of the `caller`, or that of the `service`.
    pub(super) fn begin(self: &Arc<Self>, caller: &str) -> Result<Flying, &'static str> {
        let mut open = self.lock();
        let all = open.all + 1;
        let own = open.of_caller.get(caller).copied().unwrap_or_default() + 1;
        // The first call of a caller needs no further free one beside it.
        if all > self.most {
            return Err("service");
        }
        if own > 1 && own > self.most - all {
            return Err("caller");
        }
        open.all = all;
        match open.of_caller.get_mut(caller) {
            Some(of_caller) => *of_caller = own,
            None => drop(open.of_caller.insert(caller.to_owned(), own)),
        }
        drop(open);
        Ok(Flying { all: Arc::clone(self), caller: caller.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        let mut open = self.all.lock();
        open.all -= 1;
        if let Some(own) = open.of_caller.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                open.of_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_gets_half_and_another_finds_room_until_all_are_taken() {
        let all = Arc::new(InFlight::new(100));
        let begun = |caller: &str| std::iter::from_fn(|| all.begin(caller).ok()).collect::<Vec<_>>();
        let first = begun("a");
        assert_eq!(first.len(), 50);
        let second = begun("b");
        assert_eq!(second.len(), 25);
        let rest: Vec<_> = (0..30).filter_map(|caller| all.begin(&caller.to_string()).ok()).collect();
        assert_eq!(rest.len(), 25, "each has its first call, until none is free");
        assert_eq!(all.begin("z").expect_err("all are open"), "service");
        drop(rest);
        assert_eq!(all.begin("a").expect_err("has its share"), "caller");
        drop((first, second));
        assert_eq!(begun("c").len(), 50, "ended calls make room");
        assert!(all.lock().of_caller.is_empty());
    }
}
