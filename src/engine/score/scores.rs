//! Scores of all pairs of a round, and the judgement of one pair.

use std::ops::Range;

use super::aspect::Story;
use super::bundle::{self, Bundle};
use super::columns::Columns;
use super::membership::Apart;
use super::table::Lookup;
use super::tables;
use crate::domain::policy::HardRule;
use crate::engine::cpu::Cpu;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::ties::Ties;
use crate::engine::encode::{Person, Round};
use crate::engine::observer::{Observer, Stopped};

/// Scores of all pairs of a round.
pub struct Scores<'a> {
    pub(super) mentees: Vec<&'a Person<'a>>,
    pub(super) mentors: Vec<&'a Person<'a>>,
    /// [`Person::key`] of every mentee, and of every mentor.
    pub(super) keys: [Vec<u64>; 2],
    pub(super) tables: Vec<Box<dyn Lookup + 'a>>,
    pub(super) columns: Columns,
    pub(super) apart: Vec<Apart>,
    pub(super) bundles: Vec<Bundle>,
    /// Tables with too many classes for a bundle.
    pub(super) wide: Vec<usize>,
    pub(super) tied: TiedRows,
    pub(super) min_score: u16,
    pub(super) mutual: Option<Mutual>,
    pub(super) cpu: Cpu,
}

/// Tied pairs by mentee, with the sums of what the aspects say of them.
#[derive(Debug, Default)]
pub(super) struct TiedRows {
    /// `starts[i]..starts[i + 1]` are those of mentee `i`.
    pub(super) starts: Vec<usize>,
    pub(super) pairs: Vec<(u32, Ties, Verdict)>,
}

/// People who are both mentee and mentor, where two people may not mentor each other.
#[derive(Debug)]
pub(super) struct Mutual {
    /// Positions of mentors who are also mentees, ascending.
    pub(super) mentors: Vec<u32>,
}

impl<'a> Scores<'a> {
    /// Scores of all mentees and mentors of `round`, by their positions there. The only error is that `observer` asked to
    /// stop.
    pub fn new(round: &'a Round<'a>, observer: &dyn Observer) -> Result<Self, Stopped> {
        let policy = &round.snapshot.policy;
        let rules = &policy.rules;
        let mentees: Vec<&Person<'_>> = round.mentees.iter().map(|at| &round.people[*at as usize]).collect();
        let mentors: Vec<&Person<'_>> = round.mentors.iter().map(|at| &round.people[*at as usize]).collect();
        let mut columns = Columns::new(mentors.len());
        let tables = tables(round, &mentees, &mentors, &mut columns, observer)?;
        observer.check()?;
        let apart = Apart::of_policy(rules, &mentees, &mentors);
        observer.check()?;
        let (bundles, wide) = bundle::bundle(&tables, mentors.len(), &mut columns);
        let mut this = Self {
            tables,
            columns,
            apart,
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

    /// The same scores, computed with the instructions of `cpu`: for tests and benches, because nothing else tells.
    #[must_use]
    pub fn on(mut self, cpu: Cpu) -> Self {
        self.cpu = cpu;
        self
    }

    /// What the rules and criteria say of one pair: the one decision that everything else is made of.
    pub(in crate::engine) fn verdict(&self, mentee: usize, mentor: usize) -> Verdict {
        let sum = self.sum(mentee, mentor, self.tied.of(mentee, mentor));
        self.settle(mentee, mentor, self.with_min_score(sum))
    }

    /// What the aspects say of one pair, with reasons, and the verdict that it amounts to. Broken rules come in the order
    /// of the API.
    pub(in crate::engine) fn explain(&self, mentee: usize, mentor: usize) -> (Verdict, Story) {
        let ties = self.tied.of(mentee, mentor);
        let mut story = Story::default();
        for table in &self.tables {
            table.explain(mentee, mentor, ties, &mut story);
        }
        for apart in &self.apart {
            apart.explain(mentee, mentor, &mut story);
        }
        let verdict = self.verdict(mentee, mentor);
        story.settle(verdict, self.min_score);
        (verdict, story)
    }

    /// The sum of what the aspects say of one pair.
    pub(super) fn sum(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict {
        let tables = self.tables.iter().map(|table| table.pair(mentee, mentor, ties));
        let apart = self.apart.iter().map(|apart| apart.pair(mentee, mentor));
        tables.chain(apart).fold(Verdict::CLEAR, Verdict::and)
    }

    pub(super) fn with_min_score(&self, sum: Verdict) -> Verdict {
        sum.breaking_if(sum.score() < self.min_score, HardRule::MinScore)
    }

    /// Of two people who could mentor each other only one direction stays a candidate: the one with the higher career stage
    /// as mentor, else the better score, else by the hash of their names.
    pub(super) fn settle(&self, mentee: usize, mentor: usize, verdict: Verdict) -> Verdict {
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

    /// Whether a mentor's career stage is known to be above a mentee's: then the other direction never takes their place.
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
    ) -> impl Iterator<Item = &(u32, Ties, Verdict)> {
        let range = self.starts.get(mentee).zip(self.starts.get(mentee + 1));
        let row = range.map_or(&self.pairs[..0], |(from, to)| &self.pairs[*from..*to]);
        let first = row.partition_point(|pair| (pair.0 as usize) < mentors.start);
        let end = mentors.end;
        row[first..].iter().take_while(move |pair| (pair.0 as usize) < end)
    }

    pub(super) fn of(&self, mentee: usize, mentor: usize) -> Ties {
        self.of_range(mentee, &(mentor..mentor + 1)).map(|pair| pair.1).next().unwrap_or_default()
    }
}
