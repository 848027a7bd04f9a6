//! Leaves: what a digest of a run covers about one person or one pair, as a salted hash of its own.
//!
//! A digest is the root over a head, which holds nothing about a person, and over leaves. A leaf is the hash of the salts of
//! its people and of what is said about them. The salt of a person in a round is random and stands in her enrolment. The
//! erasure of a person stores the hashes of her leaves and destroys her salt with everything else: the root can still be
//! computed, and nobody can find out what a leaf said by guessing it.
//!
//! Leaves are sorted by their bytes, so that a root needs neither the names nor the places of people who were erased.

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::name::ProfileRef;
use super::run::{BelowMinimum, Match, Unmatched};

/// A leaf.
pub type Leaf = [u8; 32];

/// The secret salt of a person in a round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LeafSalt([u8; 16]);

impl LeafSalt {
    /// A salt of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Reads a stored salt.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The salt as stored.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl std::fmt::Debug for LeafSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeafSalt")
    }
}

/// The part of a run that a leaf belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A participant of the snapshot.
    Input,
    /// A participant of the snapshot, by open answers.
    OpenInput,
    /// A decision in force.
    Decision,
    /// A match.
    Match,
    /// A person without a match, as coordinators read it.
    Unmatched,
    /// A person without a match, as her manager reads it.
    OwnUnmatched,
    /// A mentor below her minimum in the summary for coordinators.
    BelowMinimum,
    /// A mentor below her minimum in the summary for her manager.
    OwnBelowMinimum,
    /// The certificate, which is about everybody.
    Certificate,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 9] = [
        Self::Input,
        Self::OpenInput,
        Self::Decision,
        Self::Match,
        Self::Unmatched,
        Self::OwnUnmatched,
        Self::BelowMinimum,
        Self::OwnBelowMinimum,
        Self::Certificate,
    ];

    /// The part's name, as stored and as hashed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::OpenInput => "open_input",
            Self::Decision => "decision",
            Self::Match => "match",
            Self::Unmatched => "unmatched",
            Self::OwnUnmatched => "own_unmatched",
            Self::BelowMinimum => "below_minimum",
            Self::OwnBelowMinimum => "own_below_minimum",
            Self::Certificate => "certificate",
        }
    }

    /// The part of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == name)
    }
}

/// The leaf of a part that says `content` of people with these salts.
pub fn leaf(part: Part, salts: &[LeafSalt], content: &[u8]) -> Leaf {
    let mut hash = Sha256::new_with_prefix(part.as_str());
    hash.update((salts.len() as u64).to_be_bytes());
    for salt in salts {
        hash.update(salt.0);
    }
    hash.update(content);
    hash.finalize().into()
}

/// The root over a head and the leaves, in hexadecimal. The order of the leaves does not matter.
pub fn root(head: &[u8], mut leaves: Vec<Leaf>) -> String {
    leaves.sort_unstable();
    let mut hash = Sha256::new();
    for part in [head.len() as u64, leaves.len() as u64] {
        hash.update(part.to_be_bytes());
    }
    hash.update(head);
    for leaf in &leaves {
        hash.update(leaf);
    }
    hex::encode(hash.finalize())
}

/// The salts of a run's participants, and the leaves of people who were erased since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seals {
    /// The salt of each participant, in the order of the snapshot.
    pub salts: Vec<LeafSalt>,
    /// Leaves whose content was destroyed.
    pub destroyed: Vec<(Part, Leaf)>,
}

impl Seals {
    /// The salts by the names of the participants, who are `people` in the order of the snapshot.
    pub fn by_person<'a>(&self, people: impl Iterator<Item = &'a ProfileRef>) -> Salts<'a> {
        Salts(people.zip(self.salts.iter().copied()).collect())
    }

    /// Whether a person of the run was erased.
    pub fn is_erased(&self) -> bool {
        self.destroyed.iter().any(|(part, _)| *part == Part::Input)
    }

    /// The destroyed leaves of a part.
    pub fn destroyed_of(&self, part: Part) -> impl Iterator<Item = Leaf> {
        self.destroyed.iter().filter(move |(of, _)| *of == part).map(|(_, leaf)| *leaf)
    }

    /// The leaf of the certificate in its stored form. It is about everybody who takes part, so that it is destroyed with
    /// the first person.
    pub fn of_everybody(&self, certificate: &[u8]) -> Leaf {
        let mut salts = self.salts.clone();
        salts.sort_unstable_by_key(|salt| salt.0);
        leaf(Part::Certificate, &salts, certificate)
    }
}

/// Salts by the names of people.
#[derive(Debug, Clone, Default)]
pub struct Salts<'a>(HashMap<&'a ProfileRef, LeafSalt>);

impl Salts<'_> {
    /// The leaf of a match, whose JSON is written into `text`; `None` if one of the two was erased, so that the leaf is among
    /// the destroyed ones.
    pub fn of_match(&self, pair: &Match, text: &mut Vec<u8>) -> Option<Leaf> {
        self.leaf(Part::Match, [&pair.mentee, &pair.mentor], pair, text)
    }

    /// The leaf of a person without a match, in the same way.
    pub fn of_unmatched(&self, part: Part, entry: &Unmatched, text: &mut Vec<u8>) -> Option<Leaf> {
        self.leaf(part, [&entry.profile; 2], entry, text)
    }

    /// The leaf of a mentor below her minimum, in the same way.
    pub fn of_below_minimum(&self, part: Part, entry: &BelowMinimum, text: &mut Vec<u8>) -> Option<Leaf> {
        self.leaf(part, [&entry.mentor; 2], entry, text)
    }

    /// The leaf of anything about two people, in the same way.
    pub fn of_two(&self, part: Part, of: [&ProfileRef; 2], item: &impl Serialize) -> Option<Leaf> {
        self.leaf(part, of, item, &mut Vec::new())
    }

    #[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
    fn leaf(
        &self,
        part: Part,
        of: [&ProfileRef; 2],
        item: &impl Serialize,
        text: &mut Vec<u8>,
    ) -> Option<Leaf> {
        let [first, second] = of.map(|person| self.0.get(person).copied());
        let salts = [first?, second?];
        text.clear();
        serde_json::to_writer(&mut *text, item).expect("plain data serialises");
        Some(leaf(part, &salts, text))
    }
}
