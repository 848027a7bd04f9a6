//! The snapshot: the frozen and only input of a run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::leaf::{Leaf, LeafSalt, Part, Salts, Seals, leaf, root};
use super::name::{OrganisationId, ProfileRef};
use super::organisation::{OrganisationRules, PlaceLimits};
use super::policy::{Objective, Policy};
use super::profile::{ConsentPurpose, Profile};
use super::quota::{Quota, QuotaSide};
use super::review::DecisionKind;
use super::vocabulary::Region;
use super::waiting::Waiting;

/// One enrolled person, in the state when the round was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// Name of the profile.
    pub profile: ProfileRef,
    /// Version of the profile.
    pub version: i64,
    /// The profile at that version.
    pub content: Profile,
    /// What her enrolment keeps of the waiting list.
    pub waiting: Option<Waiting>,
}

impl Participant {
    /// First day of her waiting as a mentee: the older one of that by her profile and that of the waiting list.
    pub fn waiting_since(&self) -> Option<Date> {
        let by_profile = self.content.mentee_request.and_then(|request| request.waiting_since);
        let by_list = self.waiting.map(|waiting| waiting.since);
        by_profile.into_iter().chain(by_list).min()
    }
}

/// A decision of the round, in force when the round was frozen. A decision has no effect if one of the two people does not
/// take part in that role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FrozenDecision {
    /// The mentee.
    pub mentee: ProfileRef,
    /// The mentor.
    pub mentor: ProfileRef,
    /// What it asks for.
    pub kind: DecisionKind,
    /// Resource name of the decision. It names nobody, so that messages may quote it. No digest covers it.
    pub name: String,
}

impl FrozenDecision {
    /// The leaf of the decision; `None` if one of the two has no salt.
    pub fn leaf(&self, salts: &Salts<'_>) -> Option<Leaf> {
        let Self { mentee, mentor, kind, .. } = self;
        salts.of_two(Part::Decision, [mentee, mentor], &(mentee, mentor, kind))
    }

    /// The mentee and the mentor.
    pub fn pair(&self) -> (&ProfileRef, &ProfileRef) {
        (&self.mentee, &self.mentor)
    }
}

/// The run that a run follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowedRun {
    /// Its number within the round.
    pub number: i64,
    /// Digest of its result as coordinators read it, keyed with the salt of the round. It stands for the pairs in the digests
    /// of this run, so that an erasure changes neither.
    pub result_digest: String,
    /// Whether this run repairs it: then to keep a pair comes before the scores.
    pub repaired: bool,
    /// Its pairs of a mentee and a mentor, sorted. A pair with a person who was erased since names her surrogate.
    pub pairs: Vec<(ProfileRef, ProfileRef)>,
}

/// A frozen round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// First day of the mentorships.
    pub start_date: Date,
    /// Last day of the mentorships.
    pub end_date: Date,
    /// When the round was frozen: the moment at which consents must be live.
    pub freeze_time: Timestamp,
    /// The policy.
    pub policy: Policy,
    /// Own rules of every organisation that takes part, ordered by id.
    pub organisations: Vec<(OrganisationId, OrganisationRules)>,
    /// Everyone enrolled, ordered by organisation and own id.
    pub participants: Vec<Participant>,
    /// Decisions in force, ordered by pair.
    pub decisions: Vec<FrozenDecision>,
    /// The run that this run follows, if any.
    pub follows: Option<FollowedRun>,
}

impl Snapshot {
    /// Sorts all lists, so that equal rounds are equal bytes.
    pub fn sort(&mut self) {
        self.organisations.sort_by(|a, b| a.0.cmp(&b.0));
        self.participants.sort_by(|a, b| a.profile.cmp(&b.profile));
        self.decisions.sort();
        if let Some(followed) = &mut self.follows {
            followed.pairs.sort();
        }
    }

    /// The objective of the run: that of the policy, but as many people as possible for a repair, whatever the policy says of
    /// the scores.
    pub fn objective(&self) -> Objective {
        match &self.follows {
            Some(followed) if followed.repaired => Objective::BestTotal,
            _ => self.policy.objective,
        }
    }

    /// The limits of organisations of their own, of those that have some.
    pub fn own_limits(&self) -> impl Iterator<Item = (&OrganisationId, PlaceLimits)> {
        let limits = self.organisations.iter().map(|(id, rules)| (id, rules.limits));
        limits.filter(|(_, limits)| !limits.is_empty())
    }

    /// Whether quotas, limits or least places bound the matches.
    pub fn has_bounds(&self) -> bool {
        !self.policy.quotas.is_empty() || self.own_limits().next().is_some() || self.requires_least_places()
    }

    /// Whether least places of mentors are a rule.
    pub fn requires_least_places(&self) -> bool {
        self.policy.require_least_places
    }

    /// Whether pins fit under the ceilings of all quotas and under all limits of the exchange. People who do not take part count
    /// nowhere.
    pub fn fits_ceilings(&self, pins: &[(&ProfileRef, &ProfileRef)]) -> bool {
        let quotas = &self.policy.quotas;
        let named: BTreeSet<&ProfileRef> =
            pins.iter().flat_map(|(mentee, mentor)| [*mentee, *mentor]).collect();
        let region = |person: &Participant| person.content.country.region();
        let regions: BTreeMap<&ProfileRef, Region> = (self.participants.iter())
            .filter(|person| named.contains(&person.profile))
            .map(|person| (&person.profile, region(person)))
            .collect();
        let take_part = |(mentee, mentor): &&(&ProfileRef, &ProfileRef)| {
            regions.contains_key(mentee) && regions.contains_key(mentor)
        };
        let pins: Vec<_> = pins.iter().filter(take_part).collect();
        let is_of = |quota: &Quota, (mentee, mentor): &(&ProfileRef, &ProfileRef)| {
            let person = if quota.side == QuotaSide::Mentees { mentee } else { mentor };
            quota.organisation.as_ref().is_none_or(|id| *id == person.organisation)
                && quota.region.is_none_or(|wanted| regions.get(person) == Some(&wanted))
        };
        let within = |most: Option<u32>, has: usize| most.is_none_or(|most| has <= most as usize);
        let keeps_quotas = (quotas.quotas.iter())
            .all(|quota| within(quota.most, pins.iter().filter(|pin| is_of(quota, pin)).count()));
        let across = || pins.iter().filter(|(mentee, mentor)| mentee.organisation != mentor.organisation);
        keeps_quotas
            && self.organisations.iter().all(|(id, rules)| {
                let given = across().filter(|pin| pin.1.organisation == *id).count();
                let taken = across().filter(|pin| pin.0.organisation == *id).count();
                let PlaceLimits { most_given, most_taken } = rules.limits;
                let of_policy = quotas.exchange_of(id);
                within(most_given, given)
                    && within(most_taken, taken)
                    && within(of_policy.and_then(|limit| limit.most_given), given)
                    && within(of_policy.and_then(|limit| limit.most_taken), taken)
            })
    }

    /// The pairs of all pins.
    pub fn pins(&self) -> impl Iterator<Item = (&ProfileRef, &ProfileRef)> {
        self.decided(DecisionKind::Pin)
    }

    /// The pairs of all vetoes.
    pub fn vetoes(&self) -> impl Iterator<Item = (&ProfileRef, &ProfileRef)> {
        self.decided(DecisionKind::Veto)
    }

    fn decided(&self, kind: DecisionKind) -> impl Iterator<Item = (&ProfileRef, &ProfileRef)> {
        self.decisions.iter().filter(move |decision| decision.kind == kind).map(FrozenDecision::pair)
    }

    /// What both digests of the input cover beside the leaves: of the participants and of the decisions. No private answer changes
    /// it, and no version of a profile, which grows with each change of a private answer, is part of it or of an open leaf.
    pub fn open_head(&self) -> Vec<u8> {
        let mut head = format!("{} {}\n", self.start_date, self.end_date).into_bytes();
        if let Some(FollowedRun { number, result_digest, repaired, .. }) = &self.follows {
            let verb = if *repaired { "repairs" } else { "follows" };
            head.extend(format!("{verb} {number} {result_digest}\n").into_bytes());
        }
        // Limits of an organisation's own are private, so that the whole digest alone covers them.
        let open = |(id, rules): &(OrganisationId, OrganisationRules)| json(&(id, rules.without_limits()));
        let organisations = self.organisations.iter().map(open);
        for part in [json(&self.policy)].into_iter().chain(organisations) {
            head.extend(part);
            head.push(b'\n');
        }
        head
    }

    /// The digest of the sorted snapshot, in hexadecimal, from the SHA-256 of each participant's profile as canonical JSON, in
    /// the order of the participants. The digest covers whether each person's consents are live, and not the moment of
    /// freezing itself.
    pub fn digest(&self, contents: &[[u8; 32]], seals: &Seals) -> String {
        let mut head = self.open_head();
        for limits in self.own_limits() {
            head.extend(json(&limits));
            head.push(b'\n');
        }
        let people = self.participants.iter().zip(contents).zip(&seals.salts);
        let leaves = people.map(|((person, content), salt)| self.leaf(person, content, *salt));
        let leaves = leaves.chain(self.decision_leaves(seals));
        root(&head, leaves.chain(seals.destroyed_of(Part::Input)).collect())
    }

    /// The leaves of the decisions, which both digests of the input cover: those made here, and those that were destroyed. A
    /// decision on a person who does not take part has no effect and no leaf.
    pub fn decision_leaves<'a>(&'a self, seals: &'a Seals) -> impl Iterator<Item = Leaf> + 'a {
        let people = if self.decisions.is_empty() { &[][..] } else { &self.participants };
        let salts = seals.by_person(people.iter().map(|person| &person.profile));
        let leaves = self.decisions.iter().filter_map(move |decision| decision.leaf(&salts));
        leaves.chain(seals.destroyed_of(Part::Decision))
    }

    /// The leaf of a participant, from the SHA-256 of her profile as canonical JSON.
    pub fn leaf(&self, person: &Participant, content: &[u8; 32], salt: LeafSalt) -> Leaf {
        let is_live = |purpose| u8::from(person.content.consents_to(purpose, self.freeze_time));
        let live =
            [ConsentPurpose::Matching, ConsentPurpose::Identity, ConsentPurpose::CrossBorder].map(is_live);
        let mut text = format!("{} {} {live:?}\n", person.profile.short(), person.version).into_bytes();
        if let Some(Waiting { since, cause }) = person.waiting {
            text.extend(format!("waiting {since} {}\n", cause.as_str()).into_bytes());
        }
        text.extend(content);
        leaf(Part::Input, &[salt], &text)
    }
}

/// Canonical JSON: the order of a struct's fields is fixed, and lists are kept sorted by their types.
#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
