//! Running runs of this process: progress, and the means to stop them. The store has the durable state; this module is
//! the faster path within the process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Stopwatch;
use crate::domain::name::RunRef;
use crate::domain::run::{Progress, Stage, StageWork};
use crate::engine::observer::Observer;

/// Shortest time between two announcements of progress within a stage.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(40);

/// All running runs of this process.
#[derive(Debug, Default)]
pub struct LiveRuns {
    live: Mutex<HashMap<RunRef, Arc<LiveRun>>>,
    changes: Arc<Changes>,
    queued: Notify,
}

/// Announces changes to all watchers.
#[derive(Debug)]
struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    fn announce(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// A running run: the observer of the engine.
#[derive(Debug)]
pub struct LiveRun {
    state: Mutex<Option<Live>>,
    stop: AtomicU8,
    stopping: CancellationToken,
    changes: Arc<Changes>,
}

/// Progress of a run, with the start of the stage and the time of the last announcement.
#[derive(Debug, Clone, Copy)]
struct Live {
    since: Stopwatch,
    announced: Stopwatch,
    progress: Progress,
}

/// Reasons to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stop {
    /// A caller cancelled the run.
    Cancelled = 1,
    /// The service stops: the run goes back to the queue.
    Shutdown = 2,
    /// Another worker has the run: this worker must save nothing.
    Lost = 3,
}

impl LiveRuns {
    /// Adds a run.
    pub fn begin(&self, run: &RunRef) -> Arc<LiveRun> {
        let live = Arc::new(LiveRun {
            state: Mutex::new(None),
            stop: AtomicU8::new(0),
            stopping: CancellationToken::new(),
            changes: Arc::clone(&self.changes),
        });
        self.lock().insert(run.clone(), Arc::clone(&live));
        self.changes.announce();
        live
    }

    /// Removes a run.
    pub fn end(&self, run: &RunRef) {
        self.lock().remove(run);
        self.changes.announce();
    }

    /// Progress of a run, if this process runs it.
    pub fn progress(&self, run: &RunRef) -> Option<Progress> {
        self.lock().get(run).and_then(|live| live.latest())
    }

    /// Stops a run of this process.
    pub fn stop(&self, run: &RunRef, why: Stop) {
        if let Some(live) = self.lock().get(run) {
            live.stop(why);
        }
    }

    /// Receives every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.0.subscribe()
    }

    /// Wakes the worker after a run was queued.
    pub fn run_queued(&self) {
        self.queued.notify_one();
        self.changes.announce();
    }

    /// Waits until a run is queued.
    pub async fn until_queued(&self) {
        self.queued.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunRef, Arc<LiveRun>>> {
        // Every change of the map is complete, so the map is valid after a panic of another thread.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveRun {
    /// Asks the engine to stop. The first reason stays, but a lost lease replaces every other reason.
    pub fn stop(&self, why: Stop) {
        if why == Stop::Lost {
            self.stop.store(why as u8, Ordering::SeqCst);
        } else {
            // An earlier reason stays.
            let _ = self.stop.compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.stopping.cancel();
    }

    /// Waits for a reason to stop.
    pub async fn until_stopped(&self) {
        self.stopping.cancelled().await;
    }

    /// The reason to stop, if there is one.
    pub fn stopped(&self) -> Option<Stop> {
        match self.stop.load(Ordering::SeqCst) {
            1 => Some(Stop::Cancelled),
            2 => Some(Stop::Shutdown),
            3 => Some(Stop::Lost),
            _ => None,
        }
    }

    /// Progress of the run.
    pub fn latest(&self) -> Option<Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).map(|live| live.progress)
    }
}

impl Observer for LiveRun {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        let mut now = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = now.filter(|before| before.progress.stage == stage);
        // Several threads report progress; the shown number never decreases.
        let before_done = before.and_then(|before| before.progress.work).map_or(0, |work| work.done);
        let done = done.max(before_done);
        let total = if total == 0 { 0 } else { total.max(done) };
        let since = before.map_or_else(Stopwatch::start, |before| before.since);
        let recent = before.map(|before| before.announced).filter(|at| at.elapsed() < ANNOUNCE_EVERY);
        let eta_millis = (done > 0 && total >= done).then(|| {
            let left = since.elapsed().as_millis() * u128::from(total - done) / u128::from(done);
            i64::try_from(left).unwrap_or(i64::MAX)
        });
        *now = Some(Live {
            since,
            announced: recent.unwrap_or_else(Stopwatch::start),
            progress: Progress { stage, work: Some(StageWork { done, total, eta_millis }) },
        });
        drop(now);
        if recent.is_none() {
            self.changes.announce();
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
        let runs = LiveRuns::default();
        let live = runs.begin(&run());
        live.progress(Stage::Score, 5, 10);
        live.progress(Stage::Score, 3, 10);
        let now = || runs.progress(&run()).and_then(|p| Some((p.stage, p.work?.done)));
        assert_eq!(now(), Some((Stage::Score, 5)));
        live.progress(Stage::Assign, 0, 4);
        assert_eq!(now(), Some((Stage::Assign, 0)));
        runs.end(&run());
        assert_eq!(runs.progress(&run()), None);
    }

    #[test]
    fn the_first_reason_to_stop_stands_unless_the_lease_is_lost() {
        let runs = LiveRuns::default();
        let live = runs.begin(&run());
        assert!(!live.is_cancelled());
        runs.stop(&run(), Stop::Cancelled);
        runs.stop(&run(), Stop::Shutdown);
        assert_eq!(live.stopped(), Some(Stop::Cancelled));
        live.stop(Stop::Lost);
        assert_eq!(live.stopped(), Some(Stop::Lost));
        assert!(live.is_cancelled());
    }
}
