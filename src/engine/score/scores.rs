//! The scores of a round, and the verdict on one pair.

use std::ops::Range;

use super::aspect::Story;
use super::bundle::{self, Bundle};
use super::columns::MentorColumns;
use super::criteria;
use super::own_rules::OwnRules;
use super::separation::{Exclusions, SameGroup};
use super::table::{Lookup, Tables};
use crate::domain::policy::{HardRule, Objective};
use crate::engine::cpu::Cpu;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::Opposites;

/// Scores of all pairs of a round.
pub struct Scores<'a> {
    pub(super) mentees: Vec<&'a Person<'a>>,
    pub(super) mentors: Vec<&'a Person<'a>>,
    /// [`Person::key`] of every mentee, and of every mentor.
    pub(super) keys: [Vec<u64>; 2],
    pub(super) tables: Vec<Box<dyn Lookup + 'a>>,
    pub(super) columns: MentorColumns,
    pub(super) same_group: Vec<SameGroup>,
    pub(super) bundles: Vec<Bundle>,
    /// Positions of tables with too many classes for a bundle.
    pub(super) wide: Vec<usize>,
    pub(super) tied: TiedRows,
    pub(super) min_score: u16,
    pub(super) mutual: Option<Mutual>,
    /// People in both roles, where an assignment chooses the direction of each pair.
    pub(super) opposites: Option<Opposites>,
    pub(super) cpu: Cpu,
}

/// Tied pairs by mentee, each with the sum of the verdicts of its aspects.
#[derive(Debug, Default)]
pub(super) struct TiedRows {
    /// `starts[i]..starts[i + 1]` are the pairs of mentee `i`.
    starts: Vec<usize>,
    pairs: Vec<(u32, Relations, Verdict)>,
}

/// People who are both mentee and mentor, where the direction of each pair is fixed before the solver runs.
#[derive(Debug)]
pub(super) struct Mutual {
    /// Positions of mentors who are also mentees, ascending.
    pub(super) mentors: Vec<u32>,
}

impl<'a> Scores<'a> {
    /// Scores of all mentees and mentors of `round`, by their positions in the round. The only error is that `observer`
    /// asked to stop.
    pub fn new(round: &'a Round<'a>, observer: &dyn Observer) -> Result<Self, Stopped> {
        let policy = &round.snapshot.policy;
        let rules = &policy.rules;
        let mentees: Vec<&Person<'_>> = round.mentees.iter().map(|at| &round.people[*at as usize]).collect();
        let mentors: Vec<&Person<'_>> = round.mentors.iter().map(|at| &round.people[*at as usize]).collect();
        let mut columns = MentorColumns::new(mentors.len());
        let tables = tables(round, &mentees, &mentors, &mut columns, observer)?;
        observer.check()?;
        let same_group = SameGroup::of_policy(rules, &mentees, &mentors);
        observer.check()?;
        // With both directions open a stable assignment need not exist, so one direction is fixed before.
        let directed =
            (!rules.allow_mutual_mentoring).then_some(round.snapshot.objective() == Objective::Stable);
        let (bundles, wide) = bundle::bundle(&tables, mentors.len(), &mut columns);
        let mut this = Self {
            tables,
            columns,
            same_group,
            bundles,
            wide,
            tied: TiedRows::default(),
            cpu: Cpu::best(),
            min_score: rules.min_score,
            mutual: (directed == Some(true)).then(|| Mutual {
                mentors: mentors.iter().filter_map(|person| person.mentee.and(person.mentor)).collect(),
            }),
            opposites: (directed == Some(false)).then(|| opposites(&mentees, &mentors)).flatten(),
            keys: [&mentees, &mentors].map(|side| side.iter().map(|person| person.key).collect()),
            mentees,
            mentors,
        };
        this.tied = this.tied_rows(round, observer)?;
        Ok(this)
    }

    /// The same scores, computed with the instructions of `cpu`. For tests and benches: the results are the same.
    #[must_use]
    pub fn on(mut self, cpu: Cpu) -> Self {
        self.cpu = cpu;
        self
    }

    /// The keys of all mentees and of all mentors, see [`Person::key`].
    pub(in crate::engine) fn keys(&self) -> &[Vec<u64>; 2] {
        &self.keys
    }

    /// The score of one pair and the hard rules that it breaks. All other results are derived from this decision.
    pub(in crate::engine) fn verdict(&self, mentee: usize, mentor: usize) -> Verdict {
        let sum = self.sum(mentee, mentor, self.tied.of(mentee, mentor));
        self.settle(mentee, mentor, self.with_min_score(sum))
    }

    /// The verdict of one pair, with the reasons of all its aspects. Broken rules are in the order of the API.
    pub(in crate::engine) fn explain(&self, mentee: usize, mentor: usize) -> (Verdict, Story) {
        let ties = self.tied.of(mentee, mentor);
        let mut story = Story::default();
        for table in &self.tables {
            table.explain(mentee, mentor, ties, &mut story);
        }
        for same_group in &self.same_group {
            same_group.explain(mentee, mentor, &mut story);
        }
        let verdict = self.verdict(mentee, mentor);
        story.settle(verdict, self.min_score);
        (verdict, story)
    }

    /// The sum of the verdicts of all aspects on one pair.
    fn sum(&self, mentee: usize, mentor: usize, ties: Relations) -> Verdict {
        let tables = self.tables.iter().map(|table| table.pair(mentee, mentor, ties));
        let same_group = self.same_group.iter().map(|same_group| same_group.pair(mentee, mentor));
        tables.chain(same_group).fold(Verdict::CLEAR, Verdict::and)
    }

    fn with_min_score(&self, sum: Verdict) -> Verdict {
        sum.breaking_if(sum.score() < self.min_score, HardRule::MinScore)
    }

    /// Applies the rule on mutual mentoring for STABLE: of two people who could mentor each other, one direction stays a candidate. It
    /// is the direction with the higher career stage as mentor, else with the better score, else by the hash of the names.
    fn settle(&self, mentee: usize, mentor: usize, verdict: Verdict) -> Verdict {
        if self.mutual.is_none() || !verdict.is_candidate() {
            return verdict;
        }
        let (me, her) = (self.mentees[mentee], self.mentors[mentor]);
        let (Some(as_mentor), Some(as_mentee)) = (me.mentor, her.mentee) else { return verdict };
        if self.is_above(mentor, mentee) {
            return verdict;
        }
        let stages = me.content.career_stage.zip(her.content.career_stage);
        let (as_mentee, as_mentor) = (as_mentee as usize, as_mentor as usize);
        let reverse = self.sum(as_mentee, as_mentor, self.tied.of(as_mentee, as_mentor));
        let reverse = self.with_min_score(reverse);
        let is_lower = stages.is_some_and(|(mine, hers)| hers < mine);
        // People are ordered by the hash of their names, and positions of one side keep that order.
        let by_hash = as_mentor < mentor;
        let is_better = reverse.score() > verdict.score() || reverse.score() == verdict.score() && by_hash;
        verdict.breaking_if(reverse.is_candidate() && (is_lower || is_better), HardRule::Mutual)
    }

    /// Whether a mentor's career stage is known to be above a mentee's: then this direction stays a candidate.
    pub(super) fn is_above(&self, mentor: usize, mentee: usize) -> bool {
        let stages = self.mentors[mentor].content.career_stage.zip(self.mentees[mentee].content.career_stage);
        stages.is_some_and(|(hers, mine)| hers > mine)
    }

    fn tied_rows(&self, round: &Round<'_>, observer: &dyn Observer) -> Result<TiedRows, Stopped> {
        let mut rows = TiedRows { starts: vec![0], pairs: Vec::new() };
        for (mentee, person) in round.mentees.iter().enumerate() {
            if mentee % 1_024 == 0 {
                observer.check()?;
            }
            for (other, ties) in round.tied.of_mentee(*person) {
                if let Some(mentor) = round.people[other as usize].mentor {
                    rows.pairs.push((mentor, ties, self.sum(mentee, mentor as usize, ties)));
                }
            }
            rows.starts.push(rows.pairs.len());
        }
        Ok(rows)
    }
}

impl TiedRows {
    pub(super) fn of_range(
        &self,
        mentee: usize,
        mentors: &Range<usize>,
    ) -> impl Iterator<Item = &(u32, Relations, Verdict)> {
        let range = self.starts.get(mentee).zip(self.starts.get(mentee + 1));
        let row = range.map_or(&self.pairs[..0], |(from, to)| &self.pairs[*from..*to]);
        let first = row.partition_point(|pair| (pair.0 as usize) < mentors.start);
        let end = mentors.end;
        row[first..].iter().take_while(move |pair| (pair.0 as usize) < end)
    }

    pub(super) fn of(&self, mentee: usize, mentor: usize) -> Relations {
        self.of_range(mentee, &(mentor..mentor + 1)).map(|pair| pair.1).next().unwrap_or_default()
    }
}

/// People in both roles; `None` if fewer than two people have both.
fn opposites(mentees: &[&Person<'_>], mentors: &[&Person<'_>]) -> Option<Opposites> {
    let both = |person: &&Person<'_>| {
        let stage = person.content.career_stage.unwrap_or_default();
        Some((person.mentee?, person.mentor?, stage))
    };
    let same: Vec<(u32, u32, u8)> = mentors.iter().filter_map(both).collect();
    (same.len() > 1).then(|| Opposites::new(mentees.len(), mentors.len(), same))
}

/// The tables of all aspects of which a policy makes use. The criteria are listed in `criteria`.
fn tables<'a>(
    round: &'a Round<'a>,
    mentees: &[&Person<'_>],
    mentors: &[&Person<'_>],
    columns: &mut MentorColumns,
    observer: &dyn Observer,
) -> Result<Vec<Box<dyn Lookup + 'a>>, Stopped> {
    let mut tables = Tables::new(mentees, mentors, columns, observer);
    tables.add(Some(Exclusions::new(&round.snapshot.policy.rules)))?;
    tables.add((!round.organisations.is_empty()).then(|| OwnRules::new(&round.organisations)))?;
    criteria::add_all(&mut tables, round)?;
    Ok(tables.finish())
}
