//! The table of metrics: each stands here once, with its name, unit, labels and meaning. The table makes the instruments,
//! bounds their series and renders `docs/metrics.md`.
//!
//! A label never has a value that a caller chose: no organisation, no round, no id. So the number of series depends on
//! the code alone. `most_series` bounds it for each metric, and the SDK counts what is beyond under one label.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    AsyncInstrument, BoundHistogram, Counter, Histogram, Meter, MeterProvider as _, NoopMeterProvider,
};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Durations in seconds, counted by these upper bounds.
    Histogram(&'static [f64]),
    /// A count that only grows.
    Counter,
    /// A present value.
    Gauge,
    /// A present value that adds up over processes.
    UpDown,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Name by the rules of OpenTelemetry.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Unit by UCUM; empty for a plain number.
    pub unit: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Most combinations of values of its labels.
    pub most_series: usize,
    /// What it means.
    pub meaning: &'static str,
}

/// Bounds that the semantic conventions advise for calls.
const CALL_SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Half of the bounds that the semantic conventions advise for statements: the store has many of them.
const STATEMENT_SECONDS: &[f64] = &[0.001, 0.01, 0.1, 1.0, 10.0];
/// Bounds of whole runs and of their stages: some milliseconds to an hour.
const RUN_SECONDS: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

macro_rules! metrics {
    ($($row:ident = $kind:ident $(($bounds:ident))? $name:literal [$unit:literal] by $labels:tt at most $most:literal: $meaning:literal;)+) => {
        $(#[doc = $meaning] pub const $row: Metric = Metric {
            name: $name,
            kind: Kind::$kind $(($bounds))?,
            unit: $unit,
            labels: &$labels,
            most_series: $most,
            meaning: $meaning,
        };)+

        /// All metrics, in the order of the document.
        pub const TABLE: &[Metric] = &[$($row),+];
    };
}

metrics! {
    CALL_DURATION = Histogram(CALL_SECONDS) "rpc.server.call.duration" ["s"]
        by ["rpc.system.name", "rpc.method", "rpc.response.status_code", "error.type"] at most 205:
        "Time from the arrival of a call to the end of its answer. `error.type` is set for the codes that are failures of the service. A call that is refused before its method has the method `_OTHER`.";
    EDGE_CONNECTIONS = Gauge "wim_match.edge.connections" ["{connection}"] by ["state"] at most 2:
        "Open connections: `stranger` as long as they have named no caller, then `caller`.";
    EDGE_CALLS = Gauge "wim_match.edge.calls" ["{call}"] by [] at most 1: "Open calls.";
    EDGE_BYTES = Gauge "wim_match.edge.buffered" ["By"] by [] at most 1: "Bytes of messages that have arrived in part.";
    EDGE_REFUSALS = Counter "wim_match.edge.refusals" ["{refusal}"] by ["cause"] at most 20:
        "Calls refused and connections closed by the bounds of the edge; docs/edge.md lists the causes.";
    READY = Gauge "wim_match.ready" [""] by [] at most 1: "1 while the database takes writes, and 0 while it does not.";
    PROBE_FAILURES = Counter "wim_match.store.probe_failures" ["{probe}"] by [] at most 1:
        "Probes that could not write to the database.";
    STATEMENT_DURATION = Histogram(STATEMENT_SECONDS) "db.client.operation.duration" ["s"]
        by ["db.system.name", "db.query.summary", "error.type"] at most 260:
        "Time of a statement of the store, by the name of the statement. `error.type` is set if the database refused it, or `CANCELLED` if its call ended first.";
    CONNECTION_WAIT = Histogram(STATEMENT_SECONDS) "db.client.connection.wait_time" ["s"]
        by ["db.client.connection.pool.name"] at most 3:
        "Time until a session had its connection and had begun its transaction: to read (`reader`) or to write (`writer`) on SQLite, and both (`postgresql`).";
    CONNECTIONS = UpDown "db.client.connection.count" ["{connection}"]
        by ["db.client.connection.pool.name", "db.client.connection.state"] at most 4:
        "Connections to the database, by their state: `used` or `idle`.";
    CONNECTIONS_MOST = UpDown "db.client.connection.max" ["{connection}"] by ["db.client.connection.pool.name"] at most 2:
        "Most connections to the database.";
    RUN_ENDS = Counter "wim_match.run.ends" ["{run}"] by ["outcome"] at most 6:
        "Runs that a worker has stopped working on: `succeeded`, `failed`, `cancelled`, `released` to the queue, `lost` to another worker, or `interrupted` because the database failed.";
    RUN_DURATION = Histogram(RUN_SECONDS) "wim_match.run.duration" ["s"] by ["outcome"] at most 6:
        "Time from the claim of a run to its end.";
    STAGE_DURATION = Histogram(RUN_SECONDS) "wim_match.run.stage.duration" ["s"] by ["stage"] at most 6:
        "Time of a stage of a run: `encode`, `score`, `assign`, `certify`, `explain`, `save`.";
    RUN_PAIRS = Counter "wim_match.run.pairs" ["{pair}"] by [] at most 1:
        "Pairs of a mentee and a mentor in runs that succeeded, of rounds large enough for numbers about people.";
    PAIRS_PER_SECOND = Gauge "wim_match.run.pairs_per_second" [""] by [] at most 1:
        "Pairs divided by the time of the stage `score`, in the last run of this process that succeeded.";
    MATCH_RATE = Gauge "wim_match.run.match_rate" ["1"] by [] at most 1:
        "Share of the mentees with a match, in the last run of this process that succeeded. Withheld below 23 mentees.";
    SCORE_WORST = Gauge "wim_match.run.score.worst" [""] by [] at most 1:
        "Lowest shown score of a match, 0 to 100, in the last run of this process that succeeded.";
    SCORE_MEDIAN = Gauge "wim_match.run.score.median" [""] by [] at most 1:
        "Median shown score of the matches, 0 to 100, in the last run of this process that succeeded.";
    BLOCKING_PAIRS = Gauge "wim_match.run.blocking_pairs" ["{pair}"] by [] at most 1:
        "Pairs in which both would have a higher shown score than with their matches, in the last run of this process that succeeded.";
    UNMATCHED = Gauge "wim_match.run.unmatched" ["{person}"] by ["reason"] at most 40:
        "Mentees without a match by their reason, in the last run of this process that succeeded.";
    GAP = Gauge "wim_match.run.gap" ["1"] by [] at most 1:
        "Mentees whom a better assignment could match at most, divided by those matched, in the last run of this process that succeeded; 0 if the optimum is proved.";
    QUEUE_RUNS = Gauge "wim_match.queue.runs" ["{run}"] by [] at most 1: "Runs that wait for a worker.";
    QUEUE_AGE = Gauge "wim_match.queue.age" ["s"] by [] at most 1:
        "Age of the oldest run that waits for a worker; 0 without one.";
    IMPORT_ROWS = Counter "wim_match.import.rows" ["{row}"] by ["outcome"] at most 5:
        "Rows of imports that have ended: `created`, `updated`, `unchanged` or `rejected`.";
    IMPORT_ENDS = Counter "wim_match.import.ends" ["{import}"] by ["outcome"] at most 3:
        "Imports that have ended: `applied`, or `discarded` because rows were rejected or the caller left.";
    MENTORSHIPS = Gauge "wim_match.mentorship.count" ["{mentorship}"] by ["state"] at most 6:
        "Mentorships by their state: `proposed`, `accepted`, `active`, `paused`, `completed` or `ended_early`, as housekeeping counts them every hour. Withheld while there are fewer than 23.";
    MEETINGS_OVERDUE = Gauge "wim_match.mentorship.meetings_overdue" ["{mentorship}"] by [] at most 1:
        "Mentorships without a first meeting in time, counted and withheld in the same way.";
    CHECK_INS_DUE = Gauge "wim_match.mentorship.check_ins_due" ["{check_in}"] by [] at most 1:
        "Check-ins whose day has come and which nobody has recorded, counted and withheld in the same way.";
    MENTORSHIP_ANSWERS = Counter "wim_match.mentorship.answers" ["{answer}"] by ["outcome"] at most 2:
        "Answers to proposals: `accepted` or `declined`.";
    CHECK_INS = Counter "wim_match.mentorship.check_ins" ["{check_in}"] by ["source"] at most 2:
        "Check-ins recorded, one by one (`call`) or by an import (`import`).";
    REMINDERS = Counter "wim_match.mentorship.reminders" ["{event}"] by [] at most 1:
        "Events written for what is due in mentorships.";
    REMINDER_AGE = Gauge "wim_match.mentorship.reminder.age" ["s"] by [] at most 1:
        "Time since the last look for what is due that ended well, or since the start.";
    SOLVER_WORKING = Gauge "wim_match.solver.working" ["{problem}"] by [] at most 1: "External problems that are being solved.";
    SOLVER_WAITING = Gauge "wim_match.solver.waiting" ["{problem}"] by [] at most 1: "External problems that wait for their turn.";
    PURGE_ROWS = Counter "wim_match.purge.rows" ["{row}"] by ["kind"] at most 6:
        "What housekeeping has deleted: rows of unfinished imports (`import`), first answers (`answer`), runs (`run`).";
    PURGE_FAILURES = Counter "wim_match.purge.failures" ["{purge}"] by [] at most 1: "Purges that have failed.";
    PURGE_AGE = Gauge "wim_match.purge.age" ["s"] by [] at most 1: "Time since the last purge that ended well, or since the start.";
    CERTIFICATE_REMAINING = Gauge "wim_match.tls.certificate.remaining" ["s"] by [] at most 1:
        "Time until the certificate of the port for calls ends; not shown without TLS.";
    EXPORT_FAILURES = Counter "wim_match.telemetry.export_failures" ["{export}"] by ["signal"] at most 3:
        "Deliveries that the OpenTelemetry collector did not take: of `traces`, `metrics` or `logs`.";
    MEMORY = UpDown "process.memory.usage" ["By"] by [] at most 1: "Resident memory of the process.";
    CPU_TIME = Counter "process.cpu.time" ["s"] by [] at most 1: "Processor time of the process.";
    FILES = UpDown "process.unix.file_descriptor.count" ["{file_descriptor}"] by [] at most 1: "Open files of the process.";
    FILES_MOST = UpDown "process.unix.file_descriptor.limit" ["{file_descriptor}"] by [] at most 1: "Open files that the process may have.";
    UPTIME = Gauge "process.uptime" ["s"] by [] at most 1: "Time since the start of the service.";
}

impl Metric {
    /// The name at `/metrics`: underscores for dots, then the unit, then `_total` for a counter.
    pub fn name_for_prometheus(&self) -> String {
        let name = self.name.replace('.', "_");
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" => "_ratio",
            _ => "",
        };
        format!("{name}{unit}{}", if self.kind == Kind::Counter { "_total" } else { "" })
    }

    /// Series at `/metrics` at most.
    #[cfg(test)]
    fn series(&self) -> usize {
        match self.kind {
            // Each bound, infinity, the sum and the count.
            Kind::Histogram(bounds) => self.most_series * (bounds.len() + 3),
            Kind::Counter | Kind::Gauge | Kind::UpDown => self.most_series,
        }
    }

    fn durations<K>(&self, meter: &Meter) -> Durations<K> {
        let histogram = match self.kind {
            Kind::Histogram(bounds) => meter
                .f64_histogram(self.name)
                .with_unit(self.unit)
                .with_description(self.meaning)
                .with_boundaries(bounds.to_vec())
                .build(),
            Kind::Counter | Kind::Gauge | Kind::UpDown => no_meter().f64_histogram(self.name).build(),
        };
        Durations { histogram, by_key: RwLock::default() }
    }

    fn counter(&self, meter: &Meter) -> Counter<u64> {
        meter.u64_counter(self.name).with_unit(self.unit).with_description(self.meaning).build()
    }
}

fn no_meter() -> Meter {
    NoopMeterProvider::new().meter("")
}

/// A histogram of durations, whose labels are given to the SDK once for each key: its own search for them costs as much
/// as everything else that is measured of a read.
#[derive(Debug)]
struct Durations<K> {
    histogram: Histogram<f64>,
    by_key: RwLock<HashMap<K, BoundHistogram<f64>>>,
}

impl<K: Hash + Eq> Durations<K> {
    /// Records the duration of something. The values of `labels` depend on `key` alone.
    fn record(&self, time: Duration, key: K, labels: impl FnOnce(&K) -> Vec<KeyValue>) {
        if let Some(known) = self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.record(time.as_secs_f64());
        }
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        let labels = labels(&key);
        by_key.entry(key).or_insert_with(|| self.histogram.bind(&labels)).record(time.as_secs_f64());
    }
}

/// The instruments of one server. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    meter: Meter,
    /// By method, status code, and whether the service has failed.
    calls: Durations<(Arc<str>, &'static str, bool)>,
    /// By database, name of the statement, and reason of its failure.
    statements: Durations<(&'static str, &'static str, Option<&'static str>)>,
    /// By pool.
    waits: Durations<&'static str>,
    run_ends: Counter<u64>,
    /// By outcome.
    runs: Durations<&'static str>,
    /// By stage.
    stages: Durations<&'static str>,
    pairs: Counter<u64>,
    import_rows: Counter<u64>,
    import_ends: Counter<u64>,
    mentorship_answers: Counter<u64>,
    check_ins: Counter<u64>,
    reminders: Counter<u64>,
    purge_rows: Counter<u64>,
    purge_failures: Counter<u64>,
    probe_failures: Counter<u64>,
}

impl Default for Metrics {
    /// Instruments that nobody reads.
    fn default() -> Self {
        Self::new(no_meter())
    }
}

impl Metrics {
    /// The instruments of a meter.
    pub(super) fn new(meter: Meter) -> Self {
        let this = Self(Arc::new(Instruments {
            calls: CALL_DURATION.durations(&meter),
            statements: STATEMENT_DURATION.durations(&meter),
            waits: CONNECTION_WAIT.durations(&meter),
            run_ends: RUN_ENDS.counter(&meter),
            runs: RUN_DURATION.durations(&meter),
            stages: STAGE_DURATION.durations(&meter),
            pairs: RUN_PAIRS.counter(&meter),
            import_rows: IMPORT_ROWS.counter(&meter),
            import_ends: IMPORT_ENDS.counter(&meter),
            mentorship_answers: MENTORSHIP_ANSWERS.counter(&meter),
            check_ins: CHECK_INS.counter(&meter),
            reminders: REMINDERS.counter(&meter),
            purge_rows: PURGE_ROWS.counter(&meter),
            purge_failures: PURGE_FAILURES.counter(&meter),
            probe_failures: PROBE_FAILURES.counter(&meter),
            meter,
        }));
        this.begin_at_zero();
        this
    }

    /// Shows counters before their first event: who reads them sees its increase.
    fn begin_at_zero(&self) {
        for outcome in ["succeeded", "failed", "cancelled", "released", "lost", "interrupted"] {
            self.0.run_ends.add(0, &[KeyValue::new("outcome", outcome)]);
        }
        for outcome in ["created", "updated", "unchanged", "rejected"] {
            self.rows_imported(outcome, 0);
        }
        for outcome in ["applied", "discarded"] {
            self.0.import_ends.add(0, &[KeyValue::new("outcome", outcome)]);
        }
        for outcome in ["accepted", "declined"] {
            self.0.mentorship_answers.add(0, &[KeyValue::new("outcome", outcome)]);
        }
        for source in ["call", "import"] {
            self.check_ins_recorded(source, 0);
        }
        for counter in [&self.0.pairs, &self.0.reminders, &self.0.purge_failures, &self.0.probe_failures] {
            counter.add(0, &[]);
        }
    }

    /// Reads a gauge, or a counter that counts elsewhere, whenever somebody asks.
    pub fn read(&self, metric: &Metric, read: impl Fn(&Readings<'_>) + Send + Sync + 'static) {
        let callback = move |observer: &dyn AsyncInstrument<f64>| read(&Readings(observer));
        let meter = &self.0.meter;
        macro_rules! read {
            ($instrument:ident) => {{
                let builder = meter.$instrument(metric.name).with_unit(metric.unit);
                let _ = builder.with_description(metric.meaning).with_callback(callback).build();
            }};
        }
        match metric.kind {
            Kind::Counter => read!(f64_observable_counter),
            Kind::UpDown => read!(f64_observable_up_down_counter),
            Kind::Gauge | Kind::Histogram(_) => read!(f64_observable_gauge),
        }
    }

    /// A call has ended. `method` is one of the service's own, or `_OTHER`.
    pub fn call_ended(&self, method: &Arc<str>, code: &'static str, failed: bool, time: Duration) {
        self.0.calls.record(time, (Arc::clone(method), code, failed), |(method, code, failed)| {
            let mut labels = vec![
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("rpc.method", Arc::clone(method)),
                KeyValue::new("rpc.response.status_code", *code),
            ];
            labels.extend(failed.then(|| KeyValue::new("error.type", *code)));
            labels
        });
    }

    /// A statement has ended; `error` is the reason of a failure.
    pub fn statement_ended(
        &self,
        system: &'static str,
        name: &'static str,
        error: Option<&'static str>,
        time: Duration,
    ) {
        self.0.statements.record(time, (system, name, error), |(system, name, error)| {
            let mut labels =
                vec![KeyValue::new("db.system.name", *system), KeyValue::new("db.query.summary", *name)];
            labels.extend(error.map(|reason| KeyValue::new("error.type", reason)));
            labels
        });
    }

    /// A session has waited for a connection of `pool`.
    pub fn connection_waited(&self, pool: &'static str, time: Duration) {
        self.0.waits.record(time, pool, |pool| vec![KeyValue::new("db.client.connection.pool.name", *pool)]);
    }

    /// A worker has stopped working on a run.
    pub fn run_ended(&self, outcome: &'static str, time: Duration) {
        self.0.run_ends.add(1, &[KeyValue::new("outcome", outcome)]);
        self.0.runs.record(time, outcome, |outcome| vec![KeyValue::new("outcome", *outcome)]);
    }

    /// A stage of a run has ended.
    pub fn stage_ended(&self, stage: &'static str, time: Duration) {
        self.0.stages.record(time, stage, |stage| vec![KeyValue::new("stage", *stage)]);
    }

    /// A run over so many pairs has succeeded.
    pub fn pairs_matched(&self, pairs: u64) {
        self.0.pairs.add(pairs, &[]);
    }

    /// Rows of an import have come to an outcome.
    pub fn rows_imported(&self, outcome: &'static str, rows: u64) {
        self.0.import_rows.add(rows, &[KeyValue::new("outcome", outcome)]);
    }

    /// An import has ended.
    pub fn import_ended(&self, outcome: &'static str) {
        self.0.import_ends.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// A side has answered a proposal.
    pub fn mentorship_answered(&self, accepts: bool) {
        let outcome = if accepts { "accepted" } else { "declined" };
        self.0.mentorship_answers.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// Check-ins were recorded: by calls of their own, or by an import.
    pub fn check_ins_recorded(&self, source: &'static str, number: u64) {
        self.0.check_ins.add(number, &[KeyValue::new("source", source)]);
    }

    /// Events were written for what is due.
    pub fn reminded(&self, events: u64) {
        self.0.reminders.add(events, &[]);
    }

    /// Housekeeping has deleted something.
    pub fn purged(&self, kind: &'static str, number: u64) {
        self.0.purge_rows.add(number, &[KeyValue::new("kind", kind)]);
    }

    /// A purge has failed.
    pub fn purge_failed(&self) {
        self.0.purge_failures.add(1, &[]);
    }

    /// The database did not take a probe.
    pub fn probe_failed(&self) {
        self.0.probe_failures.add(1, &[]);
    }
}

/// Takes the readings of one metric.
#[expect(missing_debug_implementations, reason = "the SDK's observer has none")]
pub struct Readings<'a>(&'a dyn AsyncInstrument<f64>);

impl Readings<'_> {
    /// A value without a label.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric is read as a double; counts stay below 2 to the power of 53"
    )]
    pub fn count(&self, value: u64) {
        self.0.observe(value as f64, &[]);
    }

    /// A value without a label.
    pub fn value(&self, value: f64) {
        self.0.observe(value, &[]);
    }

    /// A value for the labels of the metric, in their order.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric is read as a double; counts stay below 2 to the power of 53"
    )]
    pub fn labelled(&self, metric: &Metric, labels: &[&'static str], value: u64) {
        let labels: Vec<KeyValue> =
            metric.labels.iter().zip(labels).map(|(label, value)| KeyValue::new(*label, *value)).collect();
        self.0.observe(value as f64, &labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_series_together_are_bounded() {
        let most: usize = TABLE.iter().map(Metric::series).sum();
        assert!(most <= 6_000, "{most} series at most");
    }

    #[test]
    fn a_metric_has_one_row_and_no_label_about_people() {
        let mut names: Vec<&str> = TABLE.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        for metric in TABLE {
            for label in metric.labels {
                let about_people = ["organisation", "round", "profile", "caller", "address", "token"];
                assert!(about_people.iter().all(|word| !label.contains(word)), "{}: {label}", metric.name);
            }
            assert!(metric.labels.is_empty() == (metric.most_series == 1), "{}", metric.name);
        }
    }
}
