//! Scores of all pairs of a round, computed on demand and not stored.
//!
//! Input: an encoded round. Output: the [`Verdict`] of every pair, which is its score and the hard rules that it breaks.
//! Invariant: the verdict of a pair is the sum of the verdicts of its aspects ([`aspect::Aspect`]). The lowest score and the
//! rule on mutual mentoring then apply to the sum. [`Scores::verdict`] computes one pair in this way, and the dense pass
//! ([`dense`]) computes the same numbers for all pairs.
//!
//! The dense pass:
//! - People who gave an aspect the same answer are one class of the aspect. The pass judges classes, not people: for one
//!   mentee it writes the verdict of every class of mentors, and each pair costs a few look-ups and additions.
//! - Aspects of few classes are joined into *bundles*, whose joint classes are named by one byte per mentor.
//! - Sets of terms, languages and hours have too many classes. These aspects put the mentors into few classes for each
//!   mentee, by counting what each mentor has in common with the mentee.
//! - Answers about particular people (avoid lists, previous partners, preferences) are a sparse correction at the end.
//! - All of it runs on columns of one byte per mentor, and the sums of a pair stay in registers: see [`super::cpu`].
//!
//! Memory: nothing per pair. Each mentor takes some thirty bytes of columns, one byte per language of the round, and 42
//! bytes per season for the hours (168 more with a roster). Each person of either side takes a key of 8 bytes, 2 bytes per
//! aspect, and a copy of her languages and hours (some 100 bytes, and more with every season).

mod aspect;
mod bundle;
mod columns;
mod coverage;
mod criteria;
mod dense;
mod nearness;
mod own_rules;
mod preferred;
mod separation;
mod similarity;
mod table;

use std::ops::Range;

pub(super) use self::aspect::{Finding, Story};
use self::bundle::Bundle;
use self::columns::MentorColumns;
#[cfg(test)]
pub(super) use self::criteria::expected;
pub(super) use self::dense::Rows;
use self::own_rules::OwnRules;
pub(super) use self::preferred::Preferred;
use self::separation::{Exclusions, SameGroup};
use self::table::{Lookup, Tables};
use super::cpu::Cpu;
pub(super) use super::eligibility::Plane;
use super::eligibility::Verdict;
use super::encode::ties::Ties;
use super::encode::{Person, Round};
use super::problem::{FORBIDDEN, Fill, NarrowScores, Observer, PairScores, Stopped, lot};
use crate::domain::policy::HardRule;

/// Scores of all pairs of a round.
pub struct Scores<'a> {
    mentees: Vec<&'a Person<'a>>,
    mentors: Vec<&'a Person<'a>>,
    /// [`Person::key`] of every mentee, and of every mentor.
    keys: [Vec<u64>; 2],
    tables: Vec<Box<dyn Lookup + 'a>>,
    columns: MentorColumns,
    same_group: Vec<SameGroup>,
    bundles: Vec<Bundle>,
    /// Positions of tables with too many classes for a bundle.
    wide: Vec<usize>,
    tied: TiedRows,
    min_score: u16,
    mutual: Option<Mutual>,
    cpu: Cpu,
}

/// Tied pairs by mentee, each with the sum of the verdicts of its aspects.
#[derive(Debug, Default)]
struct TiedRows {
    /// `starts[i]..starts[i + 1]` are the pairs of mentee `i`.
    starts: Vec<usize>,
    pairs: Vec<(u32, Ties, Verdict)>,
}

/// People who are both mentee and mentor, where two people may not mentor each other.
#[derive(Debug)]
struct Mutual {
    /// Positions of mentors who are also mentees, ascending.
    mentors: Vec<u32>,
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
        let pause = || if observer.is_cancelled() { Err(Stopped) } else { Ok(()) };
        pause()?;
        let same_group = SameGroup::of_policy(rules, &mentees, &mentors);
        pause()?;
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
            mutual: (!rules.allow_mutual_mentoring).then(|| Mutual {
                mentors: mentors.iter().filter_map(|person| person.mentee.and(person.mentor)).collect(),
            }),
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

    /// The score of one pair and the hard rules that it breaks. All other results are derived from this decision.
    pub(super) fn verdict(&self, mentee: usize, mentor: usize) -> Verdict {
        let sum = self.sum(mentee, mentor, self.tied.of(mentee, mentor));
        self.settle(mentee, mentor, self.with_min_score(sum))
    }

    /// The verdict of one pair, with the reasons of all its aspects. Broken rules are in the order of the API.
    pub(super) fn explain(&self, mentee: usize, mentor: usize) -> (Verdict, Story) {
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
    fn sum(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict {
        let tables = self.tables.iter().map(|table| table.pair(mentee, mentor, ties));
        let same_group = self.same_group.iter().map(|same_group| same_group.pair(mentee, mentor));
        tables.chain(same_group).fold(Verdict::CLEAR, Verdict::and)
    }

    fn with_min_score(&self, sum: Verdict) -> Verdict {
        sum.breaking_if(sum.score() < self.min_score, HardRule::MinScore)
    }

    /// Applies the rule on mutual mentoring: of two people who could mentor each other, one direction stays a candidate. It
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
    fn is_above(&self, mentor: usize, mentee: usize) -> bool {
        let stages = self.mentors[mentor].content.career_stage.zip(self.mentees[mentee].content.career_stage);
        stages.is_some_and(|(hers, mine)| hers > mine)
    }

    fn tied_rows(&self, round: &Round<'_>, observer: &dyn Observer) -> Result<TiedRows, Stopped> {
        let mut rows = TiedRows { starts: vec![0], pairs: Vec::new() };
        for (mentee, person) in round.mentees.iter().enumerate() {
            if mentee % 1_024 == 0 && observer.is_cancelled() {
                return Err(Stopped);
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

impl PairScores for Scores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        let mut narrow = vec![0; rows.len() * cols.len()];
        self.fill(rows, cols, Plane::Scores, &mut narrow);
        for (out, score) in out.iter_mut().zip(narrow) {
            *out = if score < 0 { FORBIDDEN } else { i32::from(score) };
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let verdict = self.verdict(mentee, mentor);
        verdict.is_candidate().then(|| i32::from(verdict.score()))
    }

    fn lot(&self, mentee: usize, mentor: usize) -> u32 {
        lot(self.keys[0][mentee], self.keys[1][mentor])
    }

    fn narrow(&self) -> Option<&dyn NarrowScores> {
        Some(self)
    }
}

impl NarrowScores for Scores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i16]) {
        self.fill(rows, cols, Plane::Scores, out);
    }

    fn tiles(&self, rows: Range<usize>) -> Fill<'_, i16> {
        let mut rows = Rows::new(self, rows, Plane::Scores);
        Box::new(move |cols, out| rows.fill(cols, out))
    }
}

impl TiedRows {
    fn of_range(&self, mentee: usize, mentors: &Range<usize>) -> impl Iterator<Item = &(u32, Ties, Verdict)> {
        let range = self.starts.get(mentee).zip(self.starts.get(mentee + 1));
        let row = range.map_or(&self.pairs[..0], |(from, to)| &self.pairs[*from..*to]);
        let first = row.partition_point(|pair| (pair.0 as usize) < mentors.start);
        let end = mentors.end;
        row[first..].iter().take_while(move |pair| (pair.0 as usize) < end)
    }

    fn of(&self, mentee: usize, mentor: usize) -> Ties {
        self.of_range(mentee, &(mentor..mentor + 1)).map(|pair| pair.1).next().unwrap_or_default()
    }
}

/// The tables of all aspects of which a policy makes use. The criteria are listed in [`criteria`].
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
