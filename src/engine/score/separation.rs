//! Hard rules that keep particular people apart: one person, a veto, a private answer, one employer, or one group of
//! competitors.

use std::ops::Range;

use super::aspect::{Aspect, Story};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{HardRule, HardRules};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::{Relations, as_u32};

/// The rules that nobody is matched with herself, that a veto excludes a pair, and that private answers do. An avoid list, a reporting line and
/// a missing consent to matches across borders are one rule, so that no explanation shows which of them excludes a pair.
pub(super) struct Exclusions {
    /// Whether people of one reporting line are kept apart.
    reporting_line: bool,
    /// Whether a pair of two countries needs the consent of both people.
    borders: bool,
}

/// The country of a person, and whether she stays there. Where the policy asks for no consent, all people are equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Jurisdiction {
    country: u16,
    stays: bool,
}

impl Exclusions {
    /// The rules under a policy.
    pub(super) fn new(rules: &HardRules) -> Self {
        Self { reporting_line: !rules.allow_same_reporting_line, borders: rules.require_cross_border_consent }
    }

    fn jurisdiction(&self, person: &Person<'_>) -> Jurisdiction {
        if self.borders {
            Jurisdiction { country: person.residence.country, stays: person.stays_home }
        } else {
            Jurisdiction::default()
        }
    }

    fn is_private(&self, mentee: Jurisdiction, mentor: Jurisdiction, ties: Relations) -> bool {
        ties.has(Relations::AVOIDED)
            || self.reporting_line && ties.has(Relations::REPORTING_LINE)
            || mentee.country != mentor.country && (mentee.stays || mentor.stays)
    }
}

impl Aspect for Exclusions {
    type Mentee = Jurisdiction;
    type Mentor = Jurisdiction;

    fn mentee(&self, person: &Person<'_>) -> Jurisdiction {
        self.jurisdiction(person)
    }

    fn mentor(&self, person: &Person<'_>) -> Jurisdiction {
        self.jurisdiction(person)
    }

    fn judge(&self, mentee: &Jurisdiction, mentor: &Jurisdiction, ties: Relations) -> Verdict {
        Verdict::CLEAR
            .breaking_if(ties.has(Relations::SAME_PERSON), HardRule::SamePerson)
            .breaking_if(ties.has(Relations::VETOED), HardRule::Veto)
            .breaking_if(self.is_private(*mentee, *mentor, ties), HardRule::Private)
    }

    fn explain(&self, mentee: &Jurisdiction, mentor: &Jurisdiction, ties: Relations, story: &mut Story) {
        if ties.has(Relations::SAME_PERSON) {
            story.breaks(HardRule::SamePerson, Reason::new(ReasonCode::RuleSamePerson));
        }
        if ties.has(Relations::VETOED) {
            story.breaks(HardRule::Veto, Reason::new(ReasonCode::RuleVeto));
        }
        if self.is_private(*mentee, *mentor, ties) {
            story.breaks(HardRule::Private, Reason::new(ReasonCode::RulePrivate));
        }
    }
}

/// A rule that people of one group are not matched.
///
/// Few mentors share a group with a mentee. The dense pass therefore corrects their pairs one by one, from a list of the
/// members of the group.
pub(super) struct SameGroup {
    rule: HardRule,
    reason: ReasonCode,
    of_mentee: Vec<Option<u32>>,
    of_mentor: Vec<Option<u32>>,
    /// Positions of mentors, ordered by group, then position; `starts[g]..starts[g + 1]` are those of group `g`.
    members: Vec<u32>,
    starts: Vec<usize>,
}

impl SameGroup {
    /// The rules on employers and competitors, as far as the policy has them.
    pub(super) fn of_policy(
        rules: &HardRules,
        mentees: &[&Person<'_>],
        mentors: &[&Person<'_>],
    ) -> Vec<Self> {
        let employer = |person: &Person<'_>| person.employer;
        let group = |person: &Person<'_>| person.competitor_group;
        let mut all = Vec::new();
        if !rules.allow_same_employer {
            all.push(Self::new(HardRule::Employer, ReasonCode::RuleEmployer, employer, mentees, mentors));
        }
        if !rules.allow_same_competitor_group {
            all.push(Self::new(
                HardRule::CompetitorGroup,
                ReasonCode::RuleCompetitorGroup,
                group,
                mentees,
                mentors,
            ));
        }
        all
    }

    fn new(
        rule: HardRule,
        reason: ReasonCode,
        group: impl Fn(&Person<'_>) -> Option<u32>,
        mentees: &[&Person<'_>],
        mentors: &[&Person<'_>],
    ) -> Self {
        let of_mentee: Vec<Option<u32>> = mentees.iter().map(|person| group(person)).collect();
        let of_mentor: Vec<Option<u32>> = mentors.iter().map(|person| group(person)).collect();
        let mut grouped: Vec<(u32, u32)> =
            of_mentor.iter().enumerate().filter_map(|(at, group)| Some(((*group)?, as_u32(at)))).collect();
        grouped.sort_unstable();
        let groups = of_mentee.iter().chain(&of_mentor).flatten().max().map_or(0, |last| last + 1);
        let starts = (0..=groups).map(|group| grouped.partition_point(|(other, _)| *other < group)).collect();
        Self {
            rule,
            reason,
            of_mentee,
            of_mentor,
            members: grouped.into_iter().map(|(_, at)| at).collect(),
            starts,
        }
    }

    fn are_together(&self, mentee: usize, mentor: usize) -> bool {
        self.of_mentee[mentee].is_some() && self.of_mentee[mentee] == self.of_mentor[mentor]
    }

    /// The verdict of one pair.
    pub(super) fn pair(&self, mentee: usize, mentor: usize) -> Verdict {
        Verdict::CLEAR.breaking_if(self.are_together(mentee, mentor), self.rule)
    }

    /// The verdict of a pair of one group.
    pub(super) fn broken(&self) -> Verdict {
        Verdict::CLEAR.breaking_if(true, self.rule)
    }

    /// The mentors of a range who are of the group of a mentee.
    pub(super) fn members_with(&self, mentee: usize, mentors: &Range<usize>) -> impl Iterator<Item = usize> {
        let members = self.of_mentee[mentee].map_or(&[][..], |group| {
            &self.members[self.starts[group as usize]..self.starts[group as usize + 1]]
        });
        let from = members.partition_point(|at| (*at as usize) < mentors.start);
        let end = mentors.end;
        members[from..].iter().map(|at| *at as usize).take_while(move |at| *at < end)
    }

    /// The verdict of one pair with its reason.
    pub(super) fn explain(&self, mentee: usize, mentor: usize, story: &mut Story) {
        if self.are_together(mentee, mentor) {
            story.breaks(self.rule, Reason::new(self.reason));
        }
    }
}
