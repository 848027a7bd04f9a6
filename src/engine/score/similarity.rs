//! Similarity: the number of common terms divided by the number of different terms of the two (Jaccard 1901).
//!
//! For deep-level similarity, the strongest correlate of a good mentorship (Eby et al. 2013).

use super::aspect::{Aspect, Classifier, PointScale, Story, points, share};
use super::columns::{MentorColumns, TermBytes, most_terms};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::engine::cpu::Key;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Relations;

/// Largest number of terms of either side for which a byte can name each pair of a size and a number of common terms.
const MOST_TERMS: u32 = 15;

/// A criterion on similarity.
pub(super) struct Similarity {
    scale: PointScale,
    terms: ComparedTerms,
    given: TermBytes,
    /// Column with the number of terms that every mentor gave, in the bits above `shift`.
    sizes: usize,
    /// Low bits of a class that hold the number of common terms.
    shift: u32,
    /// Largest number of terms of any mentor.
    most: u32,
}

/// What distinguishes one similarity criterion from another.
pub(super) struct ComparedTerms {
    /// Terms of a person, as bits.
    pub(super) of: fn(&Profile) -> u64,
    /// Codes of the vocabulary, joined by `,`.
    pub(super) codes: fn(u64) -> String,
    /// Reason where the two have common terms.
    pub(super) some: ReasonCode,
    /// Reason where the two have no common term.
    pub(super) none: ReasonCode,
    /// Parameter of `some` that lists the common terms.
    pub(super) list: &'static str,
}

impl Similarity {
    pub(super) fn new(scale: PointScale, terms: ComparedTerms) -> Self {
        Self { scale, terms, given: TermBytes::default(), sizes: MentorColumns::ZERO, shift: 0, most: 0 }
    }

    /// The criterion score; `None` if a side gave no terms.
    fn measure(a: u64, b: u64) -> Option<u16> {
        (a != 0 && b != 0).then(|| share((a & b).count_ones(), (a | b).count_ones()))
    }
}

impl Aspect for Similarity {
    type Mentee = u64;
    type Mentor = u64;

    fn mentee(&self, person: &Person<'_>) -> u64 {
        (self.terms.of)(person.content)
    }

    fn mentor(&self, person: &Person<'_>) -> u64 {
        (self.terms.of)(person.content)
    }

    fn judge(&self, mentee: &u64, mentor: &u64, _: Relations) -> Verdict {
        points(Some(self.scale), Self::measure(*mentee, *mentor))
    }

    fn lay_out(&mut self, mentees: &[u64], mentors: &[u64], columns: &mut MentorColumns) -> bool {
        let most_of_mentees = most_terms(mentees);
        self.most = most_terms(mentors);
        if most_of_mentees.max(self.most) > MOST_TERMS {
            return false;
        }
        self.shift = u32::BITS - most_of_mentees.leading_zeros();
        self.given = TermBytes::new(mentors, columns);
        self.sizes =
            columns.add(mentors.iter().map(|terms| (terms.count_ones() << self.shift).to_le_bytes()[0]));
        true
    }

    fn classifier(&self, mine: &u64) -> Classifier<'_> {
        let key = Key { base: self.sizes, masks: self.given.masks(*mine), ..Key::default() };
        Classifier { key, own: None }
    }

    fn kind(&self, mine: &u64) -> u32 {
        mine.count_ones()
    }

    fn class_verdicts(&self, mine: &u64, verdicts: &mut Vec<Verdict>) {
        let mine = mine.count_ones();
        for size in 0..=self.most {
            verdicts.extend((0..1 << self.shift).map(|common| {
                let all = (mine + size).saturating_sub(common);
                points(Some(self.scale), (mine > 0 && size > 0).then(|| share(common.min(all), all)))
            }));
        }
    }

    fn explain(&self, mentee: &u64, mentor: &u64, _: Relations, story: &mut Story) {
        let terms = &self.terms;
        let common = mentee & mentor;
        let reason = || match common.count_ones() {
            0 => Reason::new(terms.none),
            found => Reason::new(terms.some)
                .with("common", found)
                .with("all", (mentee | mentor).count_ones())
                .with(terms.list, (terms.codes)(common)),
        };
        story.finds(Some(self.scale), Self::measure(*mentee, *mentor).map(|score| (score, reason())));
    }
}
