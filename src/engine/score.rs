//! Scores of all pairs, computed where they are asked for and not kept here: the verdict of a pair is the sum of what its
//! aspects say.
//!
//! People who gave an aspect the same answer are one class of it. The dense pass therefore judges classes, not people: for
//! one mentee it lays out the verdict of every mentor class, and every pair is a few look-ups and additions. Aspects of few
//! classes are joined into *bundles*, whose joint classes stand in one byte per mentor. Sets of terms, languages and hours
//! have too many: those aspects put the mentors into few classes for each mentee, by counting what they have in common with
//! her. What depends on two particular people (avoid lists, earlier partners, preferences) is a sparse correction
//! afterwards. All of it runs on columns of one byte per mentor, and everything that a pair adds up stays in registers: see
//! [`super::cpu`].
//!
//! Memory: nothing per pair. Per mentor some thirty bytes of columns and one per language of the round, and 42 per season
//! for the hours (168 more with a roster); besides, per person of either side, a key of 8 bytes, 2 bytes per aspect, and a
//! copy of her languages and hours (some 100 bytes and more with every season).

mod aspect;
mod bundle;
mod columns;
mod coverage;
mod dense;
mod identity;
mod language;
mod meeting;
mod membership;
mod overlap;
mod own_rules;
mod place;
mod plane;
mod preference;
mod preferred;
mod similarity;
mod stage;
mod table;
mod term_bytes;
mod tied;
mod waiting;

use std::ops::Range;

use self::aspect::Aspect;
pub(super) use self::aspect::{Finding, Story, Weight, code};
use self::bundle::Bundle;
use self::columns::Columns;
use self::coverage::Coverage;
pub(super) use self::dense::Rows;
use self::identity::IdentityWishes;
use self::language::CommonLanguage;
use self::meeting::Meeting;
use self::membership::Apart;
use self::overlap::Overlap;
use self::own_rules::OwnRules;
use self::place::Nearness;
pub(super) use self::plane::Plane;
use self::preference::Preference;
pub(super) use self::preferred::Preferred;
use self::similarity::Similarity;
use self::stage::Stages;
use self::table::{Lookup, Table};
use self::tied::{EarlierPartners, Exclusions};
use self::waiting::WaitingTime;
use super::cpu::Cpu;
use super::eligibility::Verdict;
use super::encode::ties::Ties;
use super::encode::{Person, Round};
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, Fill, NarrowScores, PairScores, tie_break};
use crate::domain::policy::{Criterion, HardRule};

/// Scores of all pairs of a round.
pub struct Scores<'a> {
    mentees: Vec<&'a Person<'a>>,
    mentors: Vec<&'a Person<'a>>,
    /// [`Person::key`] of every mentee, and of every mentor.
    keys: [Vec<u64>; 2],
    tables: Vec<Box<dyn Lookup + 'a>>,
    columns: Columns,
    apart: Vec<Apart>,
    bundles: Vec<Bundle>,
    /// Tables with too many classes for a bundle.
    wide: Vec<usize>,
    tied: TiedRows,
    min_score: u16,
    mutual: Option<Mutual>,
    cpu: Cpu,
}

/// Tied pairs by mentee, with the sums of what the aspects say of them.
#[derive(Debug, Default)]
struct TiedRows {
    /// `starts[i]..starts[i + 1]` are those of mentee `i`.
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
    pub(super) fn verdict(&self, mentee: usize, mentor: usize) -> Verdict {
        let sum = self.sum(mentee, mentor, self.tied.of(mentee, mentor));
        self.settle(mentee, mentor, self.with_min_score(sum))
    }

    /// What the aspects say of one pair, with reasons, and the verdict that it amounts to. Broken rules come in the order
    /// of the API.
    pub(super) fn explain(&self, mentee: usize, mentor: usize) -> (Verdict, Story) {
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
    fn sum(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict {
        let tables = self.tables.iter().map(|table| table.pair(mentee, mentor, ties));
        let apart = self.apart.iter().map(|apart| apart.pair(mentee, mentor));
        tables.chain(apart).fold(Verdict::CLEAR, Verdict::and)
    }

    fn with_min_score(&self, sum: Verdict) -> Verdict {
        sum.breaking_if(sum.score() < self.min_score, HardRule::MinScore)
    }

    /// Of two people who could mentor each other only one direction stays a candidate: the one with the higher career stage
    /// as mentor, else the better score, else by the hash of their names.
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

    /// Whether a mentor's career stage is known to be above a mentee's: then the other direction never takes their place.
    fn is_above(&self, mentor: usize, mentee: usize) -> bool {
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

    fn tie_break(&self, mentee: usize, mentor: usize) -> u32 {
        tie_break(self.keys[0][mentee], self.keys[1][mentor])
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

/// The aspects that a policy looks at. A criterion is added here and in a file of its own, and nowhere else.
fn tables<'a>(
    round: &'a Round<'a>,
    mentees: &[&Person<'_>],
    mentors: &[&Person<'_>],
    columns: &mut Columns,
    observer: &dyn Observer,
) -> Result<Vec<Box<dyn Lookup + 'a>>, Stopped> {
    let policy = &round.snapshot.policy;
    let rules = &policy.rules;
    let mut tables = Tables { mentees, mentors, columns, observer, all: Vec::new() };
    tables.add(Some(Exclusions::new(rules)))?;
    tables.add((!round.organisations.is_empty()).then(|| OwnRules::new(&round.organisations)))?;
    for criterion in Criterion::ALL {
        let weight = Weight::of(policy, criterion);
        match criterion {
            Criterion::Topics => tables.add(weight.map(Coverage::topics))?,
            Criterion::Functions => tables.add(weight.map(Coverage::functions))?,
            Criterion::Commodities => tables.add(weight.map(Coverage::commodities))?,
            Criterion::CareerStage => tables.add(Some(Stages::new(weight, rules)))?,
            Criterion::Language => {
                tables.add(Some(CommonLanguage::new(weight, rules.min_language_level, &round.languages)))?;
            }
            Criterion::WeeklyOverlap => {
                let required = rules.min_weekly_overlap_minutes;
                let overlap = (weight.is_some() || required > 0)
                    .then(|| Overlap::new(weight, required, &round.calendar));
                tables.add(overlap)?;
            }
            Criterion::RegionNear => tables.add(weight.map(Nearness::near))?,
            Criterion::RegionFar => tables.add(weight.map(Nearness::far))?,
            Criterion::MeetingMode => tables.add(Some(Meeting::new(weight)))?,
            Criterion::Goals => tables.add(weight.map(Similarity::goals))?,
            Criterion::WorkingStyle => tables.add(weight.map(Similarity::working_styles))?,
            Criterion::Preference => tables.add(weight.map(Preference::new))?,
            Criterion::WaitingTime => tables.add(weight.map(WaitingTime::new))?,
            Criterion::PreviousPartner => {
                tables.add(Some(EarlierPartners::new(weight, rules.previous_partners)))?;
            }
            Criterion::Identity => tables.add(weight.map(IdentityWishes::new))?,
        }
    }
    Ok(tables.all)
}

/// Builds the tables of one round.
struct Tables<'t, 'a> {
    mentees: &'t [&'t Person<'t>],
    mentors: &'t [&'t Person<'t>],
    columns: &'t mut Columns,
    observer: &'t dyn Observer,
    all: Vec<Box<dyn Lookup + 'a>>,
}

impl<'a> Tables<'_, 'a> {
    fn add<A: Aspect + 'a>(&mut self, aspect: Option<A>) -> Result<(), Stopped> {
        if let Some(aspect) = aspect {
            let table = Table::new(aspect, self.mentees, self.mentors, self.columns, self.observer)?;
            self.all.push(Box::new(table));
        }
        Ok(())
    }
}
