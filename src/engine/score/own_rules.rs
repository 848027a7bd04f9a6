//! Hard rule: the rules of either organisation bind both sides.
//!
//! If more organisations have rules than a byte can name, the mentors are put into four classes for each mentee. The class
//! follows from whether the mentor's organisation is closed, except for the few mentors of the mentee's own organisation
//! and of excluded organisations.

use std::collections::{BTreeSet, HashMap};

use super::aspect::{Aspect, Classifier, Compute, Story};
use super::columns::MentorColumns;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::engine::cpu::{Column, Cpu, Key, LANES};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::{Relations, as_u32};
use crate::engine::encode::{Organisations, Person};

/// Organisations that a byte can name.
const MOST_NAMED: usize = 256;
/// The class of mentors of a closed organisation; the class of all others is 0.
const CLOSED: u8 = 1;
/// The class of mentors of the mentee's own organisation.
const OWN: u8 = 2;
/// The class of mentors whose organisation excludes the mentee's, or is excluded by it.
const EXCLUDED: u8 = 3;

/// The rules of all organisations.
pub(super) struct OwnRules<'a> {
    organisations: &'a Organisations,
    /// Positions of every organisation's mentors, ascending.
    members: HashMap<u32, Vec<u32>>,
    /// Organisations that each organisation excludes or is excluded by.
    excluded: HashMap<u32, BTreeSet<u32>>,
    /// The column with the class of mentors by their organisation alone.
    by_organisation: usize,
}

impl<'a> OwnRules<'a> {
    pub(super) fn new(organisations: &'a Organisations) -> Self {
        let (members, excluded) = (HashMap::new(), HashMap::new());
        Self { organisations, members, excluded, by_organisation: MentorColumns::ZERO }
    }

    fn verdict(&self, mentee: Option<u32>, mentor: Option<u32>) -> Verdict {
        Verdict::CLEAR.breaking_if(self.organisations.forbid(mentee, mentor), HardRule::Organisation)
    }

    fn class(&self, mentor: Option<u32>) -> u8 {
        if self.organisations.is_closed(mentor) { CLOSED } else { 0 }
    }
}

/// Mentors whose class does not follow from their organisation alone, ascending, each with the number to add to it.
struct Others(Vec<(u32, u8)>);

impl Compute for Others {
    fn compute(&mut self, block: usize, _: Cpu, column: &mut Column) {
        *column = Column::ZERO;
        let (first, end) = (as_u32(block * LANES), as_u32((block + 1) * LANES));
        let from = self.0.partition_point(|(mentor, _)| *mentor < first);
        for (mentor, more) in self.0[from..].iter().take_while(|(mentor, _)| *mentor < end) {
            column.0[(mentor - first) as usize] = *more;
        }
    }
}

impl Aspect for OwnRules<'_> {
    type Mentee = Option<u32>;
    type Mentor = Option<u32>;

    fn mentee(&self, person: &Person<'_>) -> Option<u32> {
        person.organisation
    }

    fn mentor(&self, person: &Person<'_>) -> Option<u32> {
        person.organisation
    }

    fn judge(&self, mentee: &Option<u32>, mentor: &Option<u32>, _: Relations) -> Verdict {
        self.verdict(*mentee, *mentor)
    }

    fn lay_out(&mut self, _: &[Option<u32>], mentors: &[Option<u32>], columns: &mut MentorColumns) -> bool {
        for (at, organisation) in mentors.iter().enumerate() {
            if let Some(organisation) = organisation {
                self.members.entry(*organisation).or_default().push(as_u32(at));
            }
        }
        if self.members.len() < MOST_NAMED {
            return false;
        }
        for (one, other) in self.organisations.excluded() {
            self.excluded.entry(one).or_default().insert(other);
            self.excluded.entry(other).or_default().insert(one);
        }
        self.by_organisation = columns.add(mentors.iter().map(|mentor| self.class(*mentor)));
        true
    }

    fn classifier<'k>(&'k self, mentee: &'k Option<u32>) -> Classifier<'k> {
        let key = Key { base: self.by_organisation, ..Key::default() };
        let Some(hers) = mentee else { return Classifier { key, own: None } };
        let of = |organisation: &u32, class: u8| {
            let more = class.wrapping_sub(self.class(Some(*organisation)));
            self.members.get(organisation).into_iter().flatten().map(move |mentor| (*mentor, more))
        };
        let excluded = self.excluded.get(hers).into_iter().flatten().filter(|other| *other != hers);
        let excluded = excluded.flat_map(|other| of(other, EXCLUDED));
        let mut others: Vec<(u32, u8)> = of(hers, OWN).chain(excluded).collect();
        others.sort_unstable();
        Classifier { key, own: Some(Box::new(Others(others))) }
    }

    fn kind(&self, mentee: &Option<u32>) -> u32 {
        self.organisations.is_closed(*mentee).into()
    }

    fn class_verdicts(&self, mentee: &Option<u32>, verdicts: &mut Vec<Verdict>) {
        let forbidden = Verdict::CLEAR.breaking_if(true, HardRule::Organisation);
        let open = if self.organisations.is_closed(*mentee) { forbidden } else { Verdict::CLEAR };
        verdicts.extend([open, forbidden, Verdict::CLEAR, forbidden]);
    }

    fn explain(&self, mentee: &Option<u32>, mentor: &Option<u32>, _: Relations, story: &mut Story) {
        if self.organisations.forbid(*mentee, *mentor) {
            story.breaks(HardRule::Organisation, Reason::new(ReasonCode::RuleOrganisation));
        }
    }
}
