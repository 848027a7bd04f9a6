//! Topics, functions and commodities: the share of what the mentee seeks that the mentor has. Coverage, not similarity: what
//! the mentor has besides does not count against her.

use super::aspect::{Aspect, Classifier, PointScale, Story, points, share};
use super::columns::MentorColumns;
use super::term_bytes::{TermBytes, most_terms};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::domain::vocabulary::{Commodity, Function, Terms, Topic};
use crate::engine::cpu::Key;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// A coverage criterion: where the terms stand, and how its reasons name them.
pub(in crate::engine) struct Coverage {
    scale: PointScale,
    terms: Covered,
    offered: TermBytes,
    /// Column with the class of mentors who gave no terms, where they are.
    silent: usize,
    /// That class: beyond the most terms that anybody seeks.
    silent_class: u8,
}

/// What tells one coverage criterion from another.
struct Covered {
    sought: fn(&Profile) -> u64,
    offered: fn(&Profile) -> u64,
    codes: fn(u64) -> String,
    some: ReasonCode,
    none: ReasonCode,
    /// Parameter of `some` that counts the terms found.
    found: &'static str,
    /// Parameter of `some` that lists them.
    list: &'static str,
}

const TOPICS: Covered = Covered {
    sought: |profile| profile.mentee_request.map_or(0, |request| request.topics.bits()),
    offered: |profile| profile.mentor_offer.map_or(0, |offer| offer.topics.bits()),
    codes: |bits| Terms::<Topic>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::TopicsCovered,
    none: ReasonCode::TopicsNone,
    found: "covered",
    list: "topics",
};

const FUNCTIONS: Covered = Covered {
    sought: |profile| profile.functions.bits(),
    offered: |profile| profile.functions.bits(),
    codes: |bits| Terms::<Function>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::FunctionsShared,
    none: ReasonCode::FunctionsNone,
    found: "common",
    list: "functions",
};

const COMMODITIES: Covered = Covered {
    sought: |profile| profile.commodities.bits(),
    offered: |profile| profile.commodities.bits(),
    codes: |bits| Terms::<Commodity>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::CommoditiesShared,
    none: ReasonCode::CommoditiesNone,
    found: "common",
    list: "commodities",
};

impl Coverage {
    /// Topics sought and offered.
    pub(in crate::engine) fn topics(scale: PointScale) -> Self {
        Self::new(scale, TOPICS)
    }

    /// Functions of the mentee and of the mentor.
    pub(in crate::engine) fn functions(scale: PointScale) -> Self {
        Self::new(scale, FUNCTIONS)
    }

    /// Commodities of the mentee and of the mentor.
    pub(in crate::engine) fn commodities(scale: PointScale) -> Self {
        Self::new(scale, COMMODITIES)
    }

    fn new(scale: PointScale, terms: Covered) -> Self {
        Self { scale, terms, offered: TermBytes::default(), silent: MentorColumns::ZERO, silent_class: 0 }
    }

    /// `None` if a side gave no terms.
    fn measure(sought: u64, offered: u64) -> Option<u16> {
        let common = (sought & offered).count_ones();
        (sought != 0 && offered != 0).then(|| share(common, sought.count_ones()))
    }
}

impl Aspect for Coverage {
    type Mentee = u64;
    type Mentor = u64;

    fn mentee(&self, person: &Person<'_>) -> u64 {
        (self.terms.sought)(person.content)
    }

    fn mentor(&self, person: &Person<'_>) -> u64 {
        (self.terms.offered)(person.content)
    }

    fn judge(&self, sought: &u64, offered: &u64, _: Ties) -> Verdict {
        points(Some(self.scale), Self::measure(*sought, *offered))
    }

    fn lay_out(&mut self, mentees: &[u64], mentors: &[u64], columns: &mut MentorColumns) -> bool {
        self.offered = TermBytes::new(mentors, columns);
        self.silent_class = u8::try_from(most_terms(mentees) + 1).unwrap_or(u8::MAX);
        let class = |offered: &u64| if *offered == 0 { self.silent_class } else { 0 };
        self.silent = columns.add(mentors.iter().map(class));
        true
    }

    fn key(&self, sought: &u64) -> Classifier<'_> {
        let key = Key { base: self.silent, masks: self.offered.masks(*sought), ..Key::default() };
        Classifier { key, own: None }
    }

    fn kind(&self, sought: &u64) -> u32 {
        sought.count_ones()
    }

    fn class_verdicts(&self, sought: &u64, verdicts: &mut Vec<Verdict>) {
        let whole = sought.count_ones();
        let found = |common| (whole > 0).then(|| share(common, whole));
        verdicts.extend((0..=whole).map(|common| points(Some(self.scale), found(common))));
        verdicts.resize(usize::from(self.silent_class), Verdict::CLEAR);
        verdicts.push(points(Some(self.scale), None));
    }

    fn explain(&self, sought: &u64, offered: &u64, _: Ties, story: &mut Story) {
        let terms = &self.terms;
        let common = sought & offered;
        let reason = || match common.count_ones() {
            0 => Reason::new(terms.none).with("sought", sought.count_ones()),
            found => Reason::new(terms.some)
                .with(terms.found, found)
                .with("sought", sought.count_ones())
                .with(terms.list, (terms.codes)(common)),
        };
        story.finds(Some(self.scale), Self::measure(*sought, *offered).map(|score| (score, reason())));
    }
}
