//! The audit: entries of the journal, each with the hash of the entry before it.
//!
//! An entry that was sealed has a position, counted from 1 without a gap, and a hash over its content, its position and the
//! hash of the entry before it. So nobody can change, delete, insert or move a sealed entry without a change of all hashes
//! after it. Whoever keeps a [`Head`] outside of the database also finds a tail that was cut off or computed anew.
//!
//! Input: the entries in the order of their positions. Output: the head, or the first fault. Cost: one SHA-256 per entry.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::message::Message;
use crate::message;

/// The first bytes of every hash, so that no other hash of the service can be taken for one of the audit.
const DOMAIN: &[u8] = b"wim-match audit 1\n";
/// The action of the entry that says up to where older entries were deleted.
pub const PURGE: &str = "journal.purge";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number. Numbers grow with gaps, where a change was not committed.
    pub sequence: i64,
    /// The moment of the change.
    pub time: Timestamp,
    /// Who changed something: the id of a caller, `worker:{id}`, or `operator` for commands at the machine itself.
    pub actor: String,
    /// The organisation concerned, if the change concerns one.
    pub organisation: Option<String>,
    /// The action, as `noun.verb`.
    pub action: String,
    /// Name of the resource.
    pub resource: String,
    /// Version of the resource after the change, if the resource has versions.
    pub version: Option<i64>,
    /// Counts and codes, as JSON.
    pub detail: String,
    /// Its place in the chain; `None` for the moment between the change and the next sealing.
    pub seal: Option<Head>,
}

/// A place in the chain: the position of an entry, and its hash. It stands for everything up to this entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position; 0 before the first entry.
    pub position: i64,
    /// The hash.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of a chain without entries.
    pub const START: Self = Self { position: 0, hash: [0; 32] };

    /// Reads a stored head.
    pub fn from_stored(position: i64, hash: &str) -> Option<Self> {
        Some(Self { position, hash: hex::decode(hash).ok()?.try_into().ok()? })
    }

    /// The hash as stored.
    pub fn hash_in_hex(&self) -> String {
        hex::encode(self.hash)
    }

    /// The head after one more entry, which follows this head.
    #[must_use]
    pub fn after(&self, entry: &AuditEntry) -> Self {
        let position = self.position.saturating_add(1);
        let mut hash = Sha256::new_with_prefix(DOMAIN);
        hash.update(self.hash);
        hash.update(position.to_be_bytes());
        hash.update(entry.sequence.to_be_bytes());
        hash.update(entry.time.as_microsecond().to_be_bytes());
        hash.update(entry.version.map_or([0; 9], |version| {
            let mut bytes = [1; 9];
            bytes[1..].copy_from_slice(&version.to_be_bytes());
            bytes
        }));
        let texts = [
            Some(entry.actor.as_str()),
            entry.organisation.as_deref(),
            Some(entry.action.as_str()),
            Some(entry.resource.as_str()),
            Some(entry.detail.as_str()),
        ];
        for text in texts {
            // The length before each text, so that no two lists of texts are the same bytes.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(text.unwrap_or_default());
        }
        Self { position, hash: hash.finalize().into() }
    }
}

/// `POSITION-HASH`, the form in which a head is kept outside of the database.
impl fmt::Display for Head {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.position, self.hash_in_hex())
    }
}

impl FromStr for Head {
    type Err = Message;

    fn from_str(text: &str) -> Result<Self, Message> {
        let read = text.trim().split_once('-').and_then(|(position, hash)| {
            let position = position.parse().ok().filter(|position| *position >= 0)?;
            Self::from_stored(position, hash)
        });
        read.ok_or_else(|| {
            message!(
                "is not a head of the audit; give it as `{command}` prints it",
                command = "wim-match admin audit head"
            )
        })
    }
}

/// The first thing that is wrong in an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFault {
    /// No entry has this position.
    Missing(i64),
    /// The content or the hash of the entry at this position is another one, or two entries have the position.
    Altered(i64),
    /// The entries end at this position, and the stored head is another one.
    Head(i64),
    /// The chain begins after this position, and no entry says that the older entries were deleted.
    Cut(i64),
    /// Up to this position, which was kept outside, the audit is another one than it was.
    Anchor(i64),
}

impl AuditFault {
    /// The position of the first bad entry.
    pub fn position(&self) -> i64 {
        match self {
            Self::Missing(at) | Self::Altered(at) | Self::Head(at) | Self::Cut(at) | Self::Anchor(at) => *at,
        }
    }

    /// The fault in words.
    pub fn message(&self) -> Message {
        match self {
            Self::Missing(at) => message!("entry {position} of the audit is missing", position = *at),
            Self::Altered(at) => {
                message!("entry {position} of the audit was changed, moved or inserted", position = *at)
            }
            Self::Head(at) => message!(
                "the entries of the audit end at {position}, and its stored head is another one",
                position = *at
            ),
            Self::Cut(at) => message!(
                "the audit begins after entry {position}, and no entry says that the older ones were deleted",
                position = *at
            ),
            Self::Anchor(at) => message!(
                "entry {position} of the audit is not the one that was kept outside: entries up to it were changed or cut off",
                position = *at
            ),
        }
    }
}

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAudit {
    /// Number of the sealed entries that were read.
    pub entries: u64,
    /// The head of the chain, up to the first fault.
    pub head: Head,
    /// The first fault.
    pub fault: Option<AuditFault>,
}

/// Verifies a chain, entry by entry in the order of their positions.
#[derive(Debug, Clone)]
pub struct AuditVerifier {
    cut: Head,
    head: Head,
    entries: u64,
    cut_is_signed: bool,
    anchor: Option<Head>,
    fault: Option<AuditFault>,
}

impl AuditVerifier {
    /// Begins with the chain after `cut`, the last entry that retention has deleted. `anchor` is a head that was kept outside.
    pub fn new(cut: Head, anchor: Option<Head>) -> Self {
        let mut new =
            Self { cut, head: cut, entries: 0, cut_is_signed: cut == Head::START, anchor, fault: None };
        new.compare_with_anchor();
        new
    }

    /// Adds an entry, sealed or not; those that are not sealed come after all others.
    pub fn add(&mut self, entry: &AuditEntry) {
        if self.fault.is_some() {
            return;
        }
        if let Some(seal) = &entry.seal {
            let next = self.head.after(entry);
            if seal.position > next.position {
                self.fault = Some(AuditFault::Missing(next.position));
                return;
            }
            if *seal != next {
                self.fault = Some(AuditFault::Altered(next.position));
                return;
            }
            self.head = next;
            self.entries += 1;
            self.compare_with_anchor();
        }
        self.cut_is_signed |= entry.action == PURGE && entry.resource == cut_name(&self.cut);
    }

    /// Whether a fault was found, so that further entries change nothing.
    pub fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    /// Ends the verification with the head that is stored beside the entries.
    pub fn finish(mut self, stored: Option<Head>) -> VerifiedAudit {
        let beyond = self.anchor.filter(|anchor| anchor.position > self.head.position);
        self.fault = self
            .fault
            .or_else(|| (stored != Some(self.head)).then_some(AuditFault::Head(self.head.position)))
            .or_else(|| (!self.cut_is_signed).then_some(AuditFault::Cut(self.cut.position)))
            .or_else(|| beyond.map(|_| AuditFault::Anchor(self.head.position.saturating_add(1))));
        VerifiedAudit { entries: self.entries, head: self.head, fault: self.fault }
    }

    fn compare_with_anchor(&mut self) {
        let at_anchor = self.anchor.filter(|anchor| anchor.position == self.head.position);
        if at_anchor.is_some_and(|anchor| anchor != self.head) {
            self.fault = Some(AuditFault::Anchor(self.head.position));
        }
    }
}

/// The resource of the entry that signs a cut: it names the position and the hash of the last deleted entry.
pub fn cut_name(cut: &Head) -> String {
    format!("journal/{cut}")
}

#[cfg(test)]
mod tests;
