//! Retention: what the service deletes by itself, how long it keeps it, and why. The table [`RULES`] is the whole policy;
//! deploy/README.md shows the same table, and a test compares them.
//!
//! A purge deletes in short transactions, so that no other writer waits for its end. A kind whose purge fails keeps no other
//! kind from being purged; the next purge continues.
//!
//! A new kind is a variant of [`Kind`], a row of [`RULES`] and an arm in `purge_kind` and `count_kind`.

use jiff::{SignedDuration, Timestamp};

use super::Service;
use crate::domain::console_session::SESSION_HOURS;
use crate::domain::message::Message;
use crate::error::{Error, Result};
use crate::message;
use crate::store::Scope;

/// Runs that succeeded and that a round keeps, whatever their age.
const RUNS_KEPT: u32 = 10;

/// A kind of thing that is deleted after some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Imports that were never finished, with their rows.
    Import,
    /// Answers remembered by `request_id`.
    Answer,
    /// Sessions of the console.
    Session,
    /// Invitations that can no longer be redeemed.
    Invitation,
    /// Runs that newer runs of their round supersede.
    Run,
    /// Entries of the audit, which are also the events that are kept.
    Audit,
}

impl Kind {
    /// Its name in reports, in the log and in the label of a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Answer => "answer",
            Self::Session => "session",
            Self::Invitation => "invitation",
            Self::Run => "run",
            Self::Audit => "audit",
        }
    }

    /// What is deleted.
    pub fn what(self) -> Message {
        match self {
            Self::Import => message!("imports that were never finished, with their rows"),
            Self::Answer => message!("first answers, by which a repeated request is recognised"),
            Self::Session => message!("sessions of the console"),
            Self::Invitation => message!("invitations, redeemed or not"),
            Self::Run => message!(
                "runs with their results, except the newest run of a round, its newest {kept} successful runs, and all runs of a published, closed or cancelled round",
                kept = RUNS_KEPT
            ),
            Self::Audit => message!("entries of the audit, and with them the events, from the oldest on"),
        }
    }

    /// Why it is kept so long and no longer.
    pub fn why(self) -> Message {
        match self {
            Self::Import => message!("answers of people that nobody has asked to store serve no purpose"),
            Self::Answer => {
                message!("a client repeats a request within hours; a week covers a weekend and a holiday")
            }
            Self::Session => message!("a session lasts no longer"),
            Self::Invitation => message!("whoever has invited somebody sees for a month what became of it"),
            Self::Run => message!("newer runs have replaced it; a week leaves time to compare them"),
            Self::Audit => {
                message!("a person who asks who has read or changed her data gets an answer for three years")
            }
        }
    }
}

/// One row of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is deleted.
    pub kind: Kind,
    /// Hours that it is kept.
    pub hours: i64,
    /// Whether the hours begin with the last row that arrived, with the answer, with the end of the run, or with the entry.
    since: fn() -> Message,
}

impl Rule {
    /// How long it is kept, in words.
    pub fn kept(&self) -> Message {
        let since = (self.since)();
        if self.hours % 24 == 0 && self.hours > 24 {
            message!("{days|1 day|{days} days} after {since}", days = self.hours / 24, since = since)
        } else {
            message!("{hours|1 hour|{hours} hours} after {since}", hours = self.hours, since = since)
        }
    }

    /// The moment before which things of the kind are too old.
    fn limit(&self, now: Timestamp) -> Timestamp {
        now - SignedDuration::from_hours(self.hours)
    }
}

/// The policy, in the order in which a purge follows it.
pub const RULES: [Rule; 6] = [
    Rule { kind: Kind::Import, hours: 24, since: || message!("the last row") },
    Rule { kind: Kind::Answer, hours: 7 * 24, since: || message!("the answer") },
    Rule { kind: Kind::Session, hours: SESSION_HOURS, since: || message!("the sign-in") },
    Rule { kind: Kind::Invitation, hours: 30 * 24, since: || message!("the expiry") },
    Rule { kind: Kind::Run, hours: 7 * 24, since: || message!("the end of the run") },
    Rule { kind: Kind::Audit, hours: 3 * 365 * 24, since: || message!("the entry") },
];

/// What a purge has deleted, or would delete.
#[derive(Debug)]
pub struct Purged {
    /// Number of things of each kind, in the order of [`RULES`]; 0 for a kind whose purge failed.
    pub counts: Vec<(Kind, u64)>,
    /// The kinds whose purge failed, each with its error.
    pub failures: Vec<(Kind, Error)>,
}

impl Purged {
    /// Number of things of a kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.counts.iter().filter(|(counted, _)| *counted == kind).map(|(_, count)| count).sum()
    }

    /// Number of things of all kinds.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }
}

impl Service {
    /// Deletes all that the policy no longer keeps.
    pub async fn purge(&self) -> Purged {
        let mut purged = Purged { counts: Vec::new(), failures: Vec::new() };
        for rule in RULES {
            let count = self.purge_kind(rule).await;
            purged.add(rule.kind, count);
        }
        purged
    }

    /// Counts what [`purge`](Self::purge) would delete now.
    pub async fn count_purgeable(&self) -> Purged {
        let mut counted = Purged { counts: Vec::new(), failures: Vec::new() };
        for rule in RULES {
            let count = self.count_kind(rule).await;
            counted.add(rule.kind, count);
        }
        counted
    }

    async fn purge_kind(&self, rule: Rule) -> Result<u64> {
        let now = self.clock.now();
        let limit = rule.limit(now);
        match rule.kind {
            Kind::Import => self.store.purge_stale_imports(&Scope::System, limit).await,
            Kind::Answer => self.store.purge_answers(&Scope::System, limit).await,
            Kind::Session => self.store.purge_console_sessions(&Scope::System, limit).await,
            Kind::Invitation => self.store.purge_invitations(&Scope::System, limit).await,
            Kind::Run => self.store.purge_runs(&Scope::System, now, limit, RUNS_KEPT).await,
            Kind::Audit => self.store.purge_journal(&Scope::System, now, limit).await,
        }
    }

    async fn count_kind(&self, rule: Rule) -> Result<u64> {
        let limit = rule.limit(self.clock.now());
        match rule.kind {
            Kind::Import => self.store.count_stale_imports(&Scope::System, limit).await,
            Kind::Answer => self.store.count_old_answers(&Scope::System, limit).await,
            Kind::Session => self.store.count_old_console_sessions(&Scope::System, limit).await,
            Kind::Invitation => self.store.count_old_invitations(&Scope::System, limit).await,
            Kind::Run => self.store.count_superseded_runs(&Scope::System, limit, RUNS_KEPT).await,
            Kind::Audit => self.store.count_old_entries(&Scope::System, limit).await,
        }
    }
}

impl Purged {
    fn add(&mut self, kind: Kind, count: Result<u64>) {
        match count {
            Ok(count) => self.counts.push((kind, count)),
            Err(error) => {
                self.counts.push((kind, 0));
                self.failures.push((kind, error));
            }
        }
    }
}
