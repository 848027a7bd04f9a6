//! Solved rounds that are kept in memory, so that questions about them are answered at once.
//!
//! Nothing is lost with a round that makes room for another: the next question prepares it again. All rounds are
//! forgotten with an erasure, and on other processes at the next question about a round of which somebody was erased.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::name::RunRef;
use crate::engine::solved_round::SolvedRound;

/// Bytes of all rounds that are kept.
const MOST_BYTES: usize = 1 << 30;

/// The solved rounds that are kept, the one of the last question last.
#[derive(Debug, Default)]
pub(super) struct KeptRounds(Mutex<VecDeque<(RunRef, Arc<SolvedRound>)>>);

impl KeptRounds {
    /// A round that is kept.
    pub(super) fn get(&self, run: &RunRef) -> Option<Arc<SolvedRound>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| known == run)?;
        let found = kept.remove(at)?;
        let solved = Arc::clone(&found.1);
        kept.push_back(found);
        Some(solved)
    }

    /// Keeps a round. Those of the oldest questions make room for it.
    pub(super) fn keep(&self, run: RunRef, solved: &Arc<SolvedRound>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != run);
        kept.push_back((run, Arc::clone(solved)));
        let mut bytes: usize = kept.iter().map(|(_, solved)| solved.bytes()).sum();
        // The round of the question itself stays, however large it is.
        while bytes > MOST_BYTES && kept.len() > 1 {
            bytes -= kept.pop_front().map_or(0, |(_, solved)| solved.bytes());
        }
    }

    /// Forgets a round.
    pub(super) fn forget(&self, run: &RunRef) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| known != run);
    }

    /// Forgets all rounds.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
