//! Coverage: the share of the terms that the mentee seeks which the mentor has.
//!
//! Terms of the mentor beyond these do not lower the score: coverage, not similarity.

use super::aspect::{Aspect, Classifier, PointScale, Story, points, share};
use super::columns::{MentorColumns, TermBytes, most_terms};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::engine::cpu::Key;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Relations;

/// A criterion on coverage.
pub(super) struct Coverage {
    scale: PointScale,
    terms: CoveredTerms,
    offered: TermBytes,
    /// Column with `silent_class` for mentors who gave no terms, and 0 for all others.
    silent: usize,
    /// The class of mentors who gave no terms: above the largest number of terms that any mentee seeks.
    silent_class: u8,
}

/// What distinguishes one coverage criterion from another.
pub(super) struct CoveredTerms {
    /// Terms that a mentee seeks, as bits.
    pub(super) sought: fn(&Profile) -> u64,
    /// Terms that a mentor has, as bits.
    pub(super) offered: fn(&Profile) -> u64,
    /// Codes of the vocabulary, joined by `,`.
    pub(super) codes: fn(u64) -> String,
    /// Reason where the mentor has some of the terms.
    pub(super) some: ReasonCode,
    /// Reason where the mentor has none of the terms.
    pub(super) none: ReasonCode,
    /// Parameter of `some` that counts the terms found.
    pub(super) count: &'static str,
    /// Parameter that lists the terms found, or, in `none`, the terms sought.
    pub(super) list: &'static str,
    /// Parameter of `some` that lists the terms sought and not found, if it has one.
    pub(super) missing: Option<&'static str>,
}

impl Coverage {
    pub(super) fn new(scale: PointScale, terms: CoveredTerms) -> Self {
        Self { scale, terms, offered: TermBytes::default(), silent: MentorColumns::ZERO, silent_class: 0 }
    }

    /// The criterion score; `None` if a side gave no terms.
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

    fn judge(&self, sought: &u64, offered: &u64, _: Relations) -> Verdict {
        points(Some(self.scale), Self::measure(*sought, *offered))
    }

    fn lay_out(&mut self, mentees: &[u64], mentors: &[u64], columns: &mut MentorColumns) -> bool {
        self.offered = TermBytes::new(mentors, columns);
        self.silent_class = u8::try_from(most_terms(mentees) + 1).unwrap_or(u8::MAX);
        let class = |offered: &u64| if *offered == 0 { self.silent_class } else { 0 };
        self.silent = columns.add(mentors.iter().map(class));
        true
    }

    fn classifier(&self, sought: &u64) -> Classifier<'_> {
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

    fn explain(&self, sought: &u64, offered: &u64, _: Relations, story: &mut Story) {
        let terms = &self.terms;
        let common = sought & offered;
        let reason = || match common.count_ones() {
            0 => Reason::new(terms.none)
                .with("sought", sought.count_ones())
                .with(terms.list, (terms.codes)(*sought)),
            found => {
                let some = Reason::new(terms.some)
                    .with(terms.count, found)
                    .with("sought", sought.count_ones())
                    .with(terms.list, (terms.codes)(common));
                let missing = || (terms.codes)(sought & !offered);
                terms.missing.map_or_else(|| some.clone(), |name| some.clone().with(name, missing()))
            }
        };
        story.finds(Some(self.scale), Self::measure(*sought, *offered).map(|score| (score, reason())));
    }
}
