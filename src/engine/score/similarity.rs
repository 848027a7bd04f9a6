//! Goals and working styles: deep-level similarity, the strongest correlate of a good mentorship (Eby et al. 2013), as the
//! share of common terms among all terms of the two (Jaccard 1901).

use super::aspect::{Aspect, Classifier, PointScale, Story, points, share};
use super::columns::MentorColumns;
use super::term_bytes::{TermBytes, most_terms};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::profile::Profile;
use crate::domain::vocabulary::{Goal, Terms, WorkingStyle};
use crate::engine::cpu::Key;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Most terms of either side for which the classes of all pairs of numbers fit in a byte.
const MOST_TERMS: u32 = 15;

/// A similarity criterion: where the terms stand, and how its reasons name them.
pub(in crate::engine) struct Similarity {
    scale: PointScale,
    terms: Compared,
    given: TermBytes,
    /// Column with the number of terms that every mentor gave, in the bits above `shift`.
    sizes: usize,
    /// Bits of a class that tell the number of common terms.
    shift: u32,
    /// Most terms of any mentor.
    most: u32,
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
    pub(in crate::engine) fn goals(scale: PointScale) -> Self {
        Self::new(scale, GOALS)
    }

    /// Working styles of both.
    pub(in crate::engine) fn working_styles(scale: PointScale) -> Self {
        Self::new(scale, WORKING_STYLES)
    }

    fn new(scale: PointScale, terms: Compared) -> Self {
        Self { scale, terms, given: TermBytes::default(), sizes: MentorColumns::ZERO, shift: 0, most: 0 }
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

    fn key(&self, mine: &u64) -> Classifier<'_> {
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
        story.finds(Some(self.scale), Self::measure(*mentee, *mentor).map(|score| (score, reason())));
    }
}
