//! Callers at the same time, the durations of their calls, and the row of a table that states them.

use std::error::Error;
use std::time::Duration;

use tokio::task::JoinSet;
use wim_match::clock::Stopwatch;

/// What ends a bench early.
pub(crate) type Failed = Box<dyn Error + Send + Sync>;

/// Durations of calls.
pub(crate) struct Measured {
    micros: Vec<i64>,
    elapsed: Duration,
}

impl Measured {
    /// From the durations in microseconds, in any order.
    pub(crate) fn of(mut micros: Vec<i64>, elapsed: Duration) -> Self {
        micros.sort_unstable();
        Self { micros, elapsed }
    }

    /// Calls per second of all callers together.
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.micros.len()).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64()
    }

    /// The duration that `of_thousand` of 1,000 calls do not exceed, in milliseconds.
    pub(crate) fn percentile(&self, of_thousand: usize) -> f64 {
        let at = (self.micros.len() * of_thousand / 1_000).min(self.micros.len().saturating_sub(1));
        f64::from(u32::try_from(self.micros.get(at).copied().unwrap_or_default()).unwrap_or(u32::MAX)) / 1e3
    }

    /// Prints a row; `raw` is the rate that it is compared with.
    pub(crate) fn print(&self, name: &str, raw: f64) {
        let (p50, p99, rate) = (self.percentile(500), self.percentile(990), self.per_second());
        println!("{name:<34}  {rate:>10.0}  {p50:>9.2}  {p99:>9.2}  {:>12.2}", rate / raw);
    }
}

/// The head of the table whose rows [`Measured::print`] writes.
pub(crate) const HEAD: &str =
    "                                     calls/s     p50 ms     p99 ms  ratio to raw";

/// Calls for `each`: caller `n` of `callers` makes the calls `n`, `n + callers`, `n + 2 * callers`.
pub(crate) async fn repeat<F>(
    caller: usize,
    callers: usize,
    each: Duration,
    mut call: impl FnMut(usize) -> F,
) -> Result<Vec<i64>, Failed>
where
    F: Future<Output = Result<(), Failed>>,
{
    let (mut micros, whole) = (Vec::new(), Stopwatch::start());
    for at in (caller..).step_by(callers) {
        if whole.elapsed() > each {
            break;
        }
        let one = Stopwatch::start();
        call(at).await?;
        micros.push(one.micros());
    }
    Ok(micros)
}

/// Runs callers at the same time; each returns the durations of its calls in microseconds.
pub(crate) async fn measure<F>(callers: impl Iterator<Item = F>) -> Result<Measured, Failed>
where
    F: Future<Output = Result<Vec<i64>, Failed>> + Send + 'static,
{
    let (watch, mut tasks) = (Stopwatch::start(), JoinSet::new());
    for caller in callers {
        tasks.spawn(caller);
    }
    let mut micros = Vec::new();
    while let Some(done) = tasks.join_next().await {
        micros.extend(done??);
    }
    Ok(Measured::of(micros, watch.elapsed()))
}
