//! What the process uses: memory, processor time, open files. Read from `/proc`, which Linux alone has; elsewhere these
//! metrics have no value.

use std::fs;
use std::time::Duration;

use super::metrics::{CPU_TIME, FILES, FILES_MOST, MEMORY, Metrics, UPTIME};
use crate::clock::Stopwatch;

/// Clock ticks of one second in `/proc`: 100 on every architecture of Linux.
const TICKS: u64 = 100;

/// Has `metrics` read the numbers of this process.
pub(super) fn read(metrics: &Metrics) {
    let started = Stopwatch::start();
    metrics.read(&UPTIME, move |readings| readings.value(started.elapsed().as_secs_f64()));
    metrics.read(&MEMORY, |readings| {
        if let Some(bytes) = resident_bytes() {
            readings.count(bytes);
        }
    });
    metrics.read(&CPU_TIME, |readings| {
        if let Some(seconds) = processor_seconds() {
            readings.value(seconds);
        }
    });
    metrics.read(&FILES, |readings| {
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            readings.count(files.count() as u64);
        }
    });
    metrics.read(&FILES_MOST, |readings| {
        if let Some(most) = most_files() {
            readings.count(most);
        }
    });
}

/// `VmRSS` of `/proc/self/status`, in bytes.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// User and system time of `/proc/self/stat`, in seconds.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in parentheses, which may contain blanks.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * (1_000 / TICKS)).as_secs_f64())
}

/// The limit of open files in force.
fn most_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_numbers_of_a_process_are_read() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(processor_seconds().is_some_and(|seconds| seconds < 1e6));
        assert!(most_files().is_some_and(|most| most > 16));
    }
}
