//! Runs under way in this process: how far they are, and how to stop them. What must last is in the store; this is only
//! what is faster to hear of here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::clock::Stopwatch;
use crate::domain::name::RunRef;
use crate::domain::run::{Progress, Stage};
use crate::engine::observer::Observer;

/// Progress within a stage is told no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(40);

/// All runs under way in this process.
#[derive(Debug, Default)]
pub struct RunBoard {
    live: Mutex<HashMap<RunRef, Arc<LiveRun>>>,
    changes: Arc<Changes>,
    queued: Notify,
}

/// Tells everybody who watches that something has changed.
#[derive(Debug)]
struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// One run under way: the engine's observer.
#[derive(Debug)]
pub struct LiveRun {
    state: Mutex<Option<Live>>,
    stop: AtomicU8,
    changes: Arc<Changes>,
}

/// How far a run is, since when it is at its stage, and when that was last told.
#[derive(Debug, Clone, Copy)]
struct Live {
    since: Stopwatch,
    told: Stopwatch,
    progress: Progress,
}

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stop {
    /// A person cancelled it.
    Cancelled = 1,
    /// The service stops: the run goes back to the queue.
    Shutdown = 2,
    /// Another worker has taken it: nothing of it may be saved here.
    Lost = 3,
}

impl RunBoard {
    /// Puts a run on the board.
    pub fn begin(&self, run: &RunRef) -> Arc<LiveRun> {
        let live = Arc::new(LiveRun {
            state: Mutex::new(None),
            stop: AtomicU8::new(0),
            changes: Arc::clone(&self.changes),
        });
        self.lock().insert(run.clone(), Arc::clone(&live));
        self.changes.tell();
        live
    }

    /// Takes a run off the board.
    pub fn end(&self, run: &RunRef) {
        self.lock().remove(run);
        self.changes.tell();
    }

    /// How far a run is, if it is under way here.
    pub fn progress(&self, run: &RunRef) -> Option<Progress> {
        self.lock().get(run).and_then(|live| live.told())
    }

    /// Stops a run that is under way here.
    pub fn stop(&self, run: &RunRef, why: Stop) {
        if let Some(live) = self.lock().get(run) {
            live.stop(why);
        }
    }

    /// Hears of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.0.subscribe()
    }

    /// Wakes the worker: a run is queued.
    pub fn run_queued(&self) {
        self.queued.notify_one();
        self.changes.tell();
    }

    /// Waits until a run is queued.
    pub async fn until_queued(&self) {
        self.queued.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunRef, Arc<LiveRun>>> {
        // The map is never left half changed, so a panic elsewhere does not spoil it.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveRun {
    /// Asks the engine to stop. The first reason stands, except that a lost lease overrules all.
    pub fn stop(&self, why: Stop) {
        if why == Stop::Lost {
            self.stop.store(why as u8, Ordering::SeqCst);
        } else {
            // An earlier reason stands.
            let _ = self.stop.compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Why the run is to stop, if it is.
    pub fn stopped(&self) -> Option<Stop> {
        match self.stop.load(Ordering::SeqCst) {
            1 => Some(Stop::Cancelled),
            2 => Some(Stop::Shutdown),
            3 => Some(Stop::Lost),
            _ => None,
        }
    }

    /// How far the run is.
    pub fn told(&self) -> Option<Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).map(|live| live.progress)
    }
}

impl Observer for LiveRun {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let mut now = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = now.filter(|before| before.progress.stage == stage);
        // Several threads report; what is shown never goes back.
        let done = before.map_or(done, |before| done.max(before.progress.done));
        let total = if total == 0 { 0 } else { total.max(done) };
        let since = before.map_or_else(Stopwatch::start, |before| before.since);
        let last_told = before.map(|before| before.told).filter(|told| told.elapsed() < TELL_EVERY);
        let eta_millis = (done > 0 && total >= done).then(|| {
            let left = since.elapsed().as_millis() * u128::from(total - done) / u128::from(done);
            i64::try_from(left).unwrap_or(i64::MAX)
        });
        *now = Some(Live {
            since,
            told: last_told.unwrap_or_else(Stopwatch::start),
            progress: Progress { stage, done, total, eta_millis },
        });
        drop(now);
        if last_told.is_none() {
            self.changes.tell();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunRef {
        RunRef::from_name("rounds/r/runs/1").expect("a good name")
    }

    #[test]
    fn progress_never_goes_back_within_a_stage() {
        let board = RunBoard::default();
        let live = board.begin(&run());
        live.progress(Stage::Score, 5, 10);
        live.progress(Stage::Score, 3, 10);
        assert_eq!(board.progress(&run()).map(|p| p.done), Some(5));
        live.progress(Stage::Assign, 0, 4);
        assert_eq!(board.progress(&run()).map(|p| (p.stage, p.done)), Some((Stage::Assign, 0)));
        board.end(&run());
        assert_eq!(board.progress(&run()), None);
    }

    #[test]
    fn the_first_reason_to_stop_stands_unless_the_lease_is_lost() {
        let board = RunBoard::default();
        let live = board.begin(&run());
        assert!(!live.is_cancelled());
        board.stop(&run(), Stop::Cancelled);
        board.stop(&run(), Stop::Shutdown);
        assert_eq!(live.stopped(), Some(Stop::Cancelled));
        live.stop(Stop::Lost);
        assert_eq!(live.stopped(), Some(Stop::Lost));
        assert!(live.is_cancelled());
    }
}
