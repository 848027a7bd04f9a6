//! Turns for problems that callers bring: one problem is solved at a time, and the callers take turns (round robin), so that
//! one caller's many problems delay another caller's by one. A waiting problem holds its memory, so waiting is bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Most problems of one caller that wait.
const MOST_PER_CALLER: usize = 4;
/// Most problems that wait.
const MOST: usize = 32;

/// The queue of all callers.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    is_taken: bool,
    /// The waiting problems of each caller; the caller whose turn is next comes first.
    callers: VecDeque<(String, VecDeque<oneshot::Sender<Turn>>)>,
}

/// The turn to solve a problem. Dropping it gives the turn to the next caller.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// Waits for a turn. Fails at once if too many problems wait. A caller that stops waiting leaves the queue.
    pub(super) async fn take(self: &Arc<Self>, caller: &str) -> Result<Turn> {
        let waiting = {
            let mut queue = self.lock();
            if !queue.is_taken {
                queue.is_taken = true;
                return Ok(Turn(Some(Arc::clone(self))));
            }
            queue.enter(caller)?
        };
        waiting.await.map_err(|_| Error::ShuttingDown)
    }

    /// Problems that are being solved and that wait.
    pub(super) fn counts(&self) -> (u64, u64) {
        let queue = self.lock();
        let waiting = queue.callers.iter().flat_map(|(_, waiting)| waiting).filter(|turn| !turn.is_closed());
        (queue.is_taken.into(), waiting.count() as u64)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn enter(&mut self, caller: &str) -> Result<oneshot::Receiver<Turn>> {
        for (_, waiting) in &mut self.callers {
            waiting.retain(|turn| !turn.is_closed());
        }
        self.callers.retain(|(_, waiting)| !waiting.is_empty());
        if self.callers.iter().map(|(_, waiting)| waiting.len()).sum::<usize>() >= MOST {
            return Err(Error::Overloaded("service"));
        }
        let at = self.callers.iter().position(|(name, _)| name == caller);
        let at = at.unwrap_or_else(|| {
            self.callers.push_back((caller.to_owned(), VecDeque::new()));
            self.callers.len() - 1
        });
        let own = &mut self.callers[at].1;
        if own.len() >= MOST_PER_CALLER {
            return Err(Error::Overloaded("caller"));
        }
        let (turn, waiting) = oneshot::channel();
        own.push_back(turn);
        Ok(waiting)
    }

    /// The next problem, one of each caller after another.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some((caller, mut waiting)) = self.callers.pop_front() {
            let next = waiting.pop_front();
            if !waiting.is_empty() {
                self.callers.push_back((caller, waiting));
            }
            if let Some(turn) = next.filter(|turn| !turn.is_closed()) {
                return Some(turn);
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        let mut queue = turns.lock();
        while let Some(next) = queue.next() {
            match next.send(Self(Some(Arc::clone(&turns)))) {
                Ok(()) => return,
                // The caller has just left: its turn must not be given on from here, under the lock.
                Err(mut refused) => drop(refused.0.take()),
            }
        }
        queue.is_taken = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes turns in sequence: for each request, in order, the callers that get a turn.
    async fn order(requests: &[&'static str]) -> Vec<&'static str> {
        let turns = Arc::new(Turns::default());
        let first = turns.take("first").await.expect("a free turn");
        let (done, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        for caller in requests {
            let (turns, done, caller) = (Arc::clone(&turns), done.clone(), *caller);
            tasks.spawn(async move {
                let _turn = turns.take(caller).await.expect("a turn");
                done.send(caller).expect("the test reads");
            });
            tokio::task::yield_now().await;
        }
        drop((first, done));
        let mut order = Vec::new();
        while let Some(caller) = taken.recv().await {
            order.push(caller);
        }
        order
    }

    #[tokio::test]
    async fn callers_take_turns_however_many_problems_each_brings() {
        assert_eq!(order(&["a", "a", "a", "b", "c", "b"]).await, ["a", "b", "c", "a", "b", "a"]);
    }

    #[tokio::test]
    async fn one_caller_cannot_fill_the_queue_and_nobody_can_fill_it_without_end() {
        let turns = Arc::new(Turns::default());
        let _taken = turns.take("a").await.expect("a free turn");
        let enter = |caller: &str| turns.lock().enter(caller);
        let waiting: Vec<_> = (0..MOST_PER_CALLER).map(|_| enter("a").expect("room")).collect();
        assert!(matches!(enter("a"), Err(Error::Overloaded("caller"))));
        let others: Vec<_> =
            (MOST_PER_CALLER..MOST).map(|at| enter(&at.to_string()).expect("room")).collect();
        assert!(matches!(enter("z"), Err(Error::Overloaded("service"))));
        drop(waiting);
        assert!(enter("a").is_ok(), "those who have left make room");
        drop(others);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_is_passed_over() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("a").await.expect("a free turn");
        let left = turns.lock().enter("b").expect("room");
        let stays = turns.lock().enter("c").expect("room");
        drop(left);
        drop(first);
        drop(stays.await.expect("the turn"));
        assert!(!turns.lock().is_taken);
    }
}
