//! Encodes a snapshot: people in a fixed order, and their answers as bits and small numbers.
//!
//! Input: the snapshot of a round. Output: a [`Round`].
//! Invariants: people are ordered by the SHA-256 of their names, so that the result does not depend on the order of the
//! input, and ties between equal people are broken by hash. Texts become dense ids, which are compared for equality only.

pub mod availability;
pub mod languages;
mod person;
pub mod ties;

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use self::availability::Calendar;
use self::languages::Languages;
use self::person::PEOPLE_PER_CHECK;
pub use self::person::{AnswersUsed, Person, Residence};
use self::ties::{RelatedPairs, as_u32};
use super::observer::{Observer, Stopped};
use super::problem::{Demand, Seats};
use crate::domain::folding;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::organisation::OrganisationRules;
use crate::domain::profile::{ConsentPurpose, Language};
use crate::domain::snapshot::{Participant, Snapshot};
use crate::domain::waiting::WaitingPriority;

/// Participants ordered by the hash of their names, each with the first 64 bits of the hash.
type Hashed<'a> = Vec<(u64, &'a Participant)>;

/// An encoded round.
#[derive(Debug)]
pub struct Round<'a> {
    /// The snapshot of the round.
    pub snapshot: &'a Snapshot,
    /// Everyone who takes part, in the order of the hashes.
    pub people: Vec<Person<'a>>,
    /// Positions of the mentees in `people`, ascending.
    pub mentees: Vec<u32>,
    /// Positions of the mentors in `people`, ascending.
    pub mentors: Vec<u32>,
    /// Enrolled people whose consent to matching is not live.
    pub left_out: Vec<&'a Participant>,
    /// Pairs of people of whom at least one names the other in a list, and each person in both roles with herself.
    pub tied: RelatedPairs,
    /// The seasons of the round.
    pub calendar: Calendar,
    /// The languages of the round.
    pub languages: Languages,
    /// Rules of the organisations for their own members.
    pub organisations: Organisations,
}

/// Rules of the organisations for their own members. Only organisations that some rule names have a number.
#[derive(Debug, Clone, Default)]
pub struct Organisations {
    ids: HashMap<OrganisationId, u32>,
    closed: HashSet<u32>,
    excluded: HashSet<(u32, u32)>,
}

impl Organisations {
    fn collect(rules: &[(OrganisationId, OrganisationRules)]) -> Self {
        let mut this = Self::default();
        let number = |ids: &mut HashMap<OrganisationId, u32>, id: &OrganisationId| {
            let next = as_u32(ids.len());
            *ids.entry(id.clone()).or_insert(next)
        };
        for (id, rules) in rules {
            if rules.same_organisation_only {
                this.closed.insert(number(&mut this.ids, id));
            }
            for other in &rules.excluded_organisations {
                let pair = (number(&mut this.ids, id), number(&mut this.ids, other));
                this.excluded.insert(pair);
            }
        }
        this
    }

    /// Whether no organisation has rules of its own.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether an organisation restricts its members to each other.
    pub fn is_closed(&self, organisation: Option<u32>) -> bool {
        organisation.is_some_and(|id| self.closed.contains(&id))
    }

    /// Pairs of organisations of which the first excludes the second, in unspecified order.
    pub fn excluded(&self) -> impl Iterator<Item = (u32, u32)> {
        self.excluded.iter().copied()
    }

    /// Whether the rules of either organisation forbid pairs with members of the other. `None` is an organisation that no
    /// rule names; two such organisations never forbid each other.
    pub fn forbid(&self, a: Option<u32>, b: Option<u32>) -> bool {
        let excluded = |a: u32, b: u32| self.excluded.contains(&(a, b)) || self.excluded.contains(&(b, a));
        a != b && (self.is_closed(a) || self.is_closed(b) || a.zip(b).is_some_and(|(a, b)| excluded(a, b)))
    }
}

impl<'a> Round<'a> {
    /// Encodes everyone of `snapshot` whose consent to matching is live. The only error is that `observer` stopped the
    /// operation.
    pub fn encode(snapshot: &'a Snapshot, observer: &dyn Observer) -> Result<Self, Stopped> {
        Self::encode_where(snapshot, AnswersUsed::All, None, |_| true, observer)
    }

    /// The same people in the same order, but only their open answers count. Everything that does not depend on a private
    /// answer is copied.
    pub fn open(&self, observer: &dyn Observer) -> Result<Self, Stopped> {
        let some = |people: &[Person<'a>]| {
            observer.check()?;
            Ok(people.iter().map(Person::open).collect())
        };
        let people: Vec<Vec<Person<'a>>> =
            self.people.par_chunks(PEOPLE_PER_CHECK).map(some).collect::<Result<_, Stopped>>()?;
        let people: Vec<Person<'a>> = people.into_iter().flatten().collect();
        let tied = RelatedPairs::collect(&people, self.snapshot.vetoes(), AnswersUsed::Open, observer)?;
        Ok(Self {
            snapshot: self.snapshot,
            people,
            mentees: self.mentees.clone(),
            mentors: self.mentors.clone(),
            left_out: self.left_out.clone(),
            tied,
            calendar: self.calendar.clone(),
            languages: self.languages.clone(),
            organisations: self.organisations.clone(),
        })
    }

    /// Encodes everyone of `snapshot` whom `wanted` accepts and whose consent to matching is live. The calendar is that of
    /// the whole round, so that scores are the same as in the whole round: `first_days` are those of the calendar of the
    /// round if `snapshot` holds a part of the round only.
    pub fn encode_where(
        snapshot: &'a Snapshot,
        answers: AnswersUsed,
        first_days: Option<&[Date]>,
        wanted: impl Fn(&ProfileRef) -> bool + Sync,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let is_open = answers == AnswersUsed::Open;
        let consents =
            |person: &Participant| person.content.consents_to(ConsentPurpose::Matching, snapshot.freeze_time);
        let (mut live, mut left_out, mut zones) = (Vec::new(), Vec::new(), BTreeSet::new());
        for some in in_order(snapshot, observer)?.chunks(PEOPLE_PER_CHECK) {
            observer.check()?;
            for &(key, person) in some {
                if consents(person) {
                    zones.insert(person.content.time_zone.as_str());
                    live.push((key, person));
                } else {
                    left_out.push(person);
                }
            }
        }
        let zones = zones.into_iter();
        let calendar = match first_days {
            Some(first_days) => Calendar::for_some(first_days, snapshot.end_date, zones),
            None => Calendar::new(snapshot.start_date, snapshot.end_date, zones),
        };
        live.retain(|(_, person)| wanted(&person.profile));
        let (mut subtags, mut employers, mut groups) =
            (HashSet::new(), DenseIds::default(), DenseIds::default());
        for some in live.chunks(PEOPLE_PER_CHECK) {
            observer.check()?;
            for content in some.iter().map(|(_, person)| &person.content) {
                subtags.extend(content.languages.iter().map(Language::primary));
                employers.add(content.employer.as_deref());
                groups.add(content.competitor_group.as_deref());
            }
        }
        let languages = Languages::of(subtags);
        let organisations = Organisations::collect(&snapshot.organisations);
        let asks_for_consent = !is_open && snapshot.policy.rules.require_cross_border_consent;
        let encode = |&(key, participant): &(u64, &'a Participant)| {
            let content = &participant.content;
            let identity = content
                .identity
                .filter(|_| !is_open && content.consents_to(ConsentPurpose::Identity, snapshot.freeze_time));
            Person {
                profile: &participant.profile,
                content,
                key,
                mentee: None,
                mentor: None,
                residence: Residence::of(content),
                organisation: organisations.ids.get(&participant.profile.organisation).copied(),
                employer: employers.of(content.employer.as_deref()),
                competitor_group: groups.of(content.competitor_group.as_deref()),
                speaks: languages.encode(&content.languages),
                hours: calendar.hours(content),
                identity: identity
                    .map_or((0, 0), |identity| (identity.shares.bits(), identity.wishes.bits())),
                stays_home: asks_for_consent
                    && !content.consents_to(ConsentPurpose::CrossBorder, snapshot.freeze_time),
                prefers: !is_open && !content.preferred.is_empty(),
                waiting: waiting_priority(snapshot, participant),
            }
        };
        let some = |live: &[(u64, &'a Participant)]| {
            observer.check()?;
            Ok(live.iter().map(encode).collect())
        };
        let blocks: Vec<Vec<Person<'a>>> =
            live.par_chunks(PEOPLE_PER_CHECK).map(some).collect::<Result<_, Stopped>>()?;
        let mut people: Vec<Person<'a>> = Vec::with_capacity(live.len());
        let mut mentees = Vec::new();
        let mut mentors = Vec::new();
        for block in blocks {
            observer.check()?;
            for mut person in block {
                if person.content.open_request().is_some() {
                    person.mentee = Some(as_u32(mentees.len()));
                    mentees.push(as_u32(people.len()));
                }
                if person.content.open_offer().is_some() {
                    person.mentor = Some(as_u32(mentors.len()));
                    mentors.push(as_u32(people.len()));
                }
                people.push(person);
            }
        }
        observer.check()?;
        let tied = RelatedPairs::collect(&people, snapshot.vetoes(), answers, observer)?;
        Ok(Self { snapshot, people, mentees, mentors, left_out, tied, calendar, languages, organisations })
    }

    /// Makes vetoed pairs candidates again, for a caller who masks them instead.
    pub(super) fn release_vetoes(&mut self) {
        self.tied.release_vetoes();
    }

    /// Demands of the mentees, by position. Waitlisted mentees are in the first tier.
    pub fn demands(&self) -> Vec<Demand> {
        let demand = |at: &u32| {
            let person = &self.people[*at as usize];
            Demand {
                tier: u8::from(!person.waiting.is_first),
                wanted: person.content.open_request().map_or(1, |request| request.wanted().clamp(1, 2)),
                pinned: 0,
            }
        };
        self.mentees.iter().map(demand).collect()
    }

    /// Seats of the mentors, by position.
    pub fn seats(&self) -> Vec<Seats> {
        let seats = |at: &u32| {
            let offer = self.people[*at as usize].content.mentor_offer;
            let (min, max) = offer.map_or((0, 0), |offer| (offer.fewest(), offer.max_mentees));
            Seats { min: u32::from(min.min(max)), max: u32::from(max) }
        };
        self.mentors.iter().map(seats).collect()
    }

    /// The mentee at a position.
    pub fn mentee(&self, at: usize) -> &Person<'a> {
        &self.people[self.mentees[at] as usize]
    }

    /// The mentor at a position.
    pub fn mentor(&self, at: usize) -> &Person<'a> {
        &self.people[self.mentors[at] as usize]
    }
}

/// What the round makes of a participant's waiting.
pub(super) fn waiting_priority(snapshot: &Snapshot, participant: &Participant) -> WaitingPriority {
    let cause = participant.waiting.map(|waiting| waiting.cause);
    WaitingPriority::of(&snapshot.policy, snapshot.start_date, participant.waiting_since(), cause)
}

/// Dense ids of texts; texts with one key have one id. Many people give the same text, so that each text is folded once.
#[derive(Default)]
struct DenseIds<'a> {
    of_keys: HashMap<String, u32>,
    of_texts: HashMap<&'a str, u32>,
}

impl<'a> DenseIds<'a> {
    fn add(&mut self, text: Option<&'a str>) {
        let Self { of_keys, of_texts } = self;
        if let Some(text) = text {
            of_texts.entry(text).or_insert_with(|| {
                let next = as_u32(of_keys.len());
                *of_keys.entry(folding::key(text)).or_insert(next)
            });
        }
    }

    fn of(&self, text: Option<&str>) -> Option<u32> {
        text.and_then(|text| self.of_texts.get(text).copied())
    }
}

/// All participants, ordered by the SHA-256 of their names, each once. Of two entries with the same name, the one with the
/// higher version counts.
fn in_order<'a>(snapshot: &'a Snapshot, observer: &dyn Observer) -> Result<Hashed<'a>, Stopped> {
    let hash = |participant: &'a Participant| -> ([u8; 32], &'a Participant) {
        (Sha256::digest(participant.profile.name().as_bytes()).into(), participant)
    };
    let some = |participants: &'a [Participant]| {
        observer.check()?;
        Ok(participants.iter().map(hash).collect())
    };
    let hashed: Vec<Vec<([u8; 32], &Participant)>> =
        snapshot.participants.par_chunks(PEOPLE_PER_CHECK).map(some).collect::<Result<_, Stopped>>()?;
    let mut hashed = hashed.concat();
    hashed.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.version.cmp(&a.1.version)));
    hashed.dedup_by(|next, kept| next.0 == kept.0);
    let key = |hash: &[u8; 32]| hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    Ok(hashed.into_iter().map(|(hash, participant)| (key(&hash), participant)).collect())
}
