//! Goals and working styles: deep-level similarity, the strongest correlate of a good mentorship (Eby et al. 2013), as the
//! share of common terms among all terms of the two (Jaccard 1901).

use std::ops::Range;

use super::aspect::{Aspect, Story, Weight, points, share};
use super::term_bytes::TermBytes;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::domain::vocabulary::{Goal, Terms, WorkingStyle};
use crate::engine::cpu::Cpu;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Most terms of either side for which the classes of all pairs of numbers fit in a byte.
const MOST_TERMS: u32 = 15;

/// A similarity criterion: where the terms stand, and how its reasons name them.
pub(in crate::engine) struct Similarity {
    weight: Weight,
    terms: Compared,
    given: TermBytes,
}

/// What tells one similarity criterion from another.
struct Compared {
    of: fn(&Profile) -> u64,
    codes: fn(u64) -> String,
    some: ReasonCode,
    none: ReasonCode,
    /// Parameter of `some` that lists the common terms.
    list: &'static str,
}

const GOALS: Compared = Compared {
    of: |profile| profile.goals.bits(),
    codes: |bits| Terms::<Goal>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::GoalsShared,
    none: ReasonCode::GoalsNone,
    list: "goals",
};

const WORKING_STYLES: Compared = Compared {
    of: |profile| profile.working_styles.bits(),
    codes: |bits| Terms::<WorkingStyle>::from_bits(bits).codes().collect::<Vec<_>>().join(","),
    some: ReasonCode::StylesShared,
    none: ReasonCode::StylesNone,
    list: "styles",
};

impl Similarity {
    /// Goals of both.
    pub(in crate::engine) fn goals(weight: Weight) -> Self {
        Self { weight, terms: GOALS, given: TermBytes::default() }
    }

    /// Working styles of both.
    pub(in crate::engine) fn working_styles(weight: Weight) -> Self {
        Self { weight, terms: WORKING_STYLES, given: TermBytes::default() }
    }

    /// `None` if a side gave no terms.
    fn measure(a: u64, b: u64) -> Option<u16> {
        (a != 0 && b != 0).then(|| share((a & b).count_ones(), (a | b).count_ones()))
    }
}

/// Bits of a class that tell the number of common terms; those above tell how many terms the mentor gave.
fn shift(mine: u64) -> u32 {
    u32::BITS - mine.count_ones().leading_zeros()
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

    fn judge(&self, mentee: &u64, mentor: &u64, _: Ties) -> Verdict {
        points(Some(self.weight), Self::measure(*mentee, *mentor))
    }

    fn lay_out(&mut self, mentees: &[u64], mentors: &[u64]) -> bool {
        self.given = TermBytes::new(mentors);
        mentees.iter().chain(mentors).all(|terms| terms.count_ones() <= MOST_TERMS)
    }

    fn classify(&self, mine: &u64, mentors: Range<usize>, cpu: Cpu, classes: &mut [u8]) {
        let shift = shift(*mine);
        for (class, size) in classes.iter_mut().zip(self.given.sizes(mentors.clone())) {
            *class = size << shift;
        }
        self.given.count_common(*mine, mentors, cpu, classes);
    }

    fn class_verdicts(&self, mine: &u64, verdicts: &mut Vec<Verdict>) {
        let (mine, shift) = (mine.count_ones(), shift(*mine));
        for size in 0..=self.given.most() {
            verdicts.extend((0..1 << shift).map(|common| {
                let all = (mine + size).saturating_sub(common);
                points(Some(self.weight), (mine > 0 && size > 0).then(|| share(common.min(all), all)))
            }));
        }
    }

    fn explain(&self, mentee: &u64, mentor: &u64, _: Ties, story: &mut Story) {
        let terms = &self.terms;
        let common = mentee & mentor;
        let reason = || match common.count_ones() {
            0 => Reason::new(terms.none),
            found => Reason::new(terms.some)
                .with("common", found)
                .with("all", (mentee | mentor).count_ones())
                .with(terms.list, (terms.codes)(common)),
        };
        story.finds(Some(self.weight), Self::measure(*mentee, *mentor).map(|score| (score, reason())));
    }
}
