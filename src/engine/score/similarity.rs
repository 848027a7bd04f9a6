//! Goals and working styles: deep-level similarity, the strongest correlate of a good mentorship (Eby et al. 2013), as the
//! share of common terms among all terms of the two (Jaccard 1901).

use super::aspect::{Aspect, Story, Weight, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::domain::vocabulary::{Goal, Terms, WorkingStyle};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// A similarity criterion: where the terms stand, and how its reasons name them.
pub(in crate::engine) struct Similarity {
    weight: Weight,
    terms: Compared,
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
        Self { weight, terms: GOALS }
    }

    /// Working styles of both.
    pub(in crate::engine) fn working_styles(weight: Weight) -> Self {
        Self { weight, terms: WORKING_STYLES }
    }

    /// `None` if a side gave no terms.
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

    fn judge(&self, mentee: &u64, mentor: &u64, _: Ties) -> Verdict {
        points(Some(self.weight), Self::measure(*mentee, *mentor))
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
