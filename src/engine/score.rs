//! Scores of all pairs, computed where they are asked for and never kept: the verdict of a pair is the sum of what its
//! aspects say.
//!
//! People who gave an aspect the same answer are one class of it. The dense pass therefore judges classes, not people: for
//! one mentee it lays out the verdict of every mentor class, and every pair is a few look-ups and additions. Aspects of few
//! classes are joined into *bundles* of at most 256 joint classes, which one byte per mentor names. What depends on two
//! particular people (avoid lists, earlier partners, preferences) is a sparse correction afterwards.

mod aspect;
mod bundle;
mod counters;
mod coverage;
mod identity;
mod language;
mod meeting;
mod membership;
mod overlap;
mod place;
mod preference;
mod preferred;
mod similarity;
mod stage;
mod table;
mod tied;
mod waiting;

use std::ops::Range;

use self::aspect::Aspect;
pub(super) use self::aspect::{Finding, Story, code};
use self::bundle::Bundle;
use self::coverage::Coverage;
use self::identity::IdentityWishes;
use self::language::CommonLanguage;
use self::meeting::Meeting;
use self::membership::{Apart, OwnRules};
use self::overlap::Overlap;
use self::place::Nearness;
use self::preference::Preference;
pub(super) use self::preferred::Preferred;
use self::similarity::Similarity;
use self::stage::Stages;
use self::table::{Classes, Lookup, Table};
use self::tied::{EarlierPartners, Exclusions};
use self::waiting::WaitingTime;
use super::eligibility::Verdict;
use super::encode::ties::Ties;
use super::encode::{Person, Round};
use super::problem::{FORBIDDEN, PairScores};
use crate::domain::policy::{Criterion, HardRule};

pub(super) use self::aspect::Weight;

/// Narrower tiles are computed pair by pair: laying out the classes would cost more.
const NARROW: usize = 48;

/// Scores of all pairs of a round.
pub struct Scores<'a> {
    mentees: Vec<&'a Person<'a>>,
    mentors: Vec<&'a Person<'a>>,
    tables: Vec<Box<dyn Lookup + 'a>>,
    apart: Vec<Apart>,
    bundles: Vec<Bundle>,
    /// Tables with too many classes for a bundle.
    wide: Vec<usize>,
    tied: TiedRows,
    min_score: u16,
    mutual: Option<Mutual>,
}

/// Tied pairs by mentee, with what their ties change about their verdicts.
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

/// Room for the rows of a tile, used again for each.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    verdicts: Vec<Verdict>,
    room: Vec<Verdict>,
    bundled: Vec<[Verdict; 256]>,
}

impl<'a> Scores<'a> {
    /// Scores of all mentees and mentors of `round`, by their positions there.
    pub fn new(round: &'a Round<'a>) -> Self {
        let policy = &round.snapshot.policy;
        let rules = &policy.rules;
        let mentees: Vec<&Person<'_>> = round.mentees.iter().map(|at| &round.people[*at as usize]).collect();
        let mentors: Vec<&Person<'_>> = round.mentors.iter().map(|at| &round.people[*at as usize]).collect();
        let tables = tables(round, &mentees, &mentors);
        let apart = Apart::of_policy(rules, &mentees, &mentors);
        let (bundles, wide) = bundle::bundle(&tables, mentors.len());
        let mut this = Self {
            tables,
            apart,
            bundles,
            wide,
            tied: TiedRows::default(),
            min_score: rules.min_score,
            mutual: (!rules.allow_mutual_mentoring).then(|| Mutual {
                mentors: mentors.iter().filter_map(|person| person.mentee.and(person.mentor)).collect(),
            }),
            mentees,
            mentors,
        };
        this.tied = this.tied_rows(round);
        this
    }

    /// What the rules and criteria say of one pair: the one decision that everything else is made of.
    pub(super) fn verdict(&self, mentee: usize, mentor: usize) -> Verdict {
        let sum = self.sum(mentee, mentor, self.tied.of(mentee, mentor));
        self.settle(mentee, mentor, self.with_min_score(sum))
    }

    /// The verdicts of one mentee with a range of mentors.
    pub(super) fn row<'s>(
        &self,
        mentee: usize,
        mentors: Range<usize>,
        sheet: &'s mut Sheet,
    ) -> &'s [Verdict] {
        if mentors.len() < NARROW {
            sheet.verdicts.clear();
            sheet.verdicts.extend(mentors.map(|mentor| self.verdict(mentee, mentor)));
            return &sheet.verdicts;
        }
        self.add_aspects(mentee, &mentors, sheet);
        for apart in &self.apart {
            apart.mark(mentee, &mentors, &mut sheet.verdicts);
        }
        for (mentor, _, correction) in self.tied.of_range(mentee, &mentors) {
            let verdict = &mut sheet.verdicts[*mentor as usize - mentors.start];
            *verdict = verdict.and(*correction);
        }
        if self.min_score > 0 {
            for verdict in &mut sheet.verdicts {
                *verdict = self.with_min_score(*verdict);
            }
        }
        if let (Some(mutual), Some(_)) = (&self.mutual, self.mentees[mentee].mentor) {
            let first = mutual.mentors.partition_point(|at| (*at as usize) < mentors.start);
            for at in mutual.mentors[first..].iter().map(|at| *at as usize).take_while(|at| *at < mentors.end)
            {
                let verdict = &mut sheet.verdicts[at - mentors.start];
                *verdict = self.settle(mentee, at, *verdict);
            }
        }
        &sheet.verdicts
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

    /// Number of tables in bundles, of shared classes beside, and of classes of one.
    #[cfg(test)]
    pub(super) fn ways_of_looking_up(&self) -> [usize; 3] {
        let own = |at: &&usize| matches!(self.tables[**at].mentor_classes(), Classes::Own);
        let own = self.wide.iter().filter(own).count();
        [self.tables.len() - self.wide.len(), self.wide.len() - own, own]
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
        let stages = me.content.career_stage.zip(her.content.career_stage);
        if stages.is_some_and(|(mine, hers)| hers > mine) {
            return verdict;
        }
        let (as_mentee, as_mentor) = (as_mentee as usize, as_mentor as usize);
        let reverse = self.sum(as_mentee, as_mentor, self.tied.of(as_mentee, as_mentor));
        let reverse = self.with_min_score(reverse);
        let is_lower = stages.is_some_and(|(mine, hers)| hers < mine);
        // People are ordered by the hash of their names, and positions of one side keep that order.
        let by_hash = as_mentor < mentor;
        let is_better = reverse.score() > verdict.score() || reverse.score() == verdict.score() && by_hash;
        verdict.breaking_if(reverse.is_candidate() && (is_lower || is_better), HardRule::Mutual)
    }

    /// Fills the sheet with the sums of the tables, untied.
    fn add_aspects(&self, mentee: usize, mentors: &Range<usize>, sheet: &mut Sheet) {
        sheet.verdicts.clear();
        sheet.verdicts.resize(mentors.len(), Verdict::CLEAR);
        sheet.bundled.resize(self.bundles.len(), [Verdict::CLEAR; 256]);
        for (bundle, joint) in self.bundles.iter().zip(&mut sheet.bundled) {
            bundle.lay_out(&self.tables, mentee, &mut sheet.room, joint);
        }
        bundle::add(&self.bundles, &sheet.bundled, mentors, &mut sheet.verdicts);
        for table in self.wide.iter().map(|at| &self.tables[*at]) {
            match table.mentor_classes() {
                Classes::Own => {
                    let row = table.row(mentee, mentors.clone(), &mut sheet.room);
                    for (verdict, other) in sheet.verdicts.iter_mut().zip(row) {
                        *verdict = verdict.and(*other);
                    }
                }
                Classes::Shared(classes, of) => {
                    let row = table.row(mentee, 0..classes, &mut sheet.room);
                    for (verdict, class) in sheet.verdicts.iter_mut().zip(&of[mentors.clone()]) {
                        let other = row.get(usize::from(*class)).copied();
                        *verdict = verdict.and(other.unwrap_or_default());
                    }
                }
            }
        }
    }

    fn tied_rows(&self, round: &Round<'_>) -> TiedRows {
        let mut rows = TiedRows { starts: vec![0], pairs: Vec::new() };
        for (mentee, person) in round.mentees.iter().enumerate() {
            for (other, ties) in round.tied.of_mentee(*person) {
                if let Some(mentor) = round.people[other as usize].mentor {
                    let at = mentor as usize;
                    let correction = self.sum(mentee, at, ties).after(self.sum(mentee, at, Ties::NONE));
                    rows.pairs.push((mentor, ties, correction));
                }
            }
            rows.starts.push(rows.pairs.len());
        }
        rows
    }
}

impl PairScores for Scores<'_> {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        let mut sheet = Sheet::default();
        for (row, out) in rows.zip(out.chunks_mut(cols.len().max(1))) {
            for (verdict, out) in self.row(row, cols.clone(), &mut sheet).iter().zip(out) {
                *out = if verdict.is_candidate() { i32::from(verdict.score()) } else { FORBIDDEN };
            }
        }
    }

    fn score(&self, mentee: usize, mentor: usize) -> Option<i32> {
        let verdict = self.verdict(mentee, mentor);
        verdict.is_candidate().then(|| i32::from(verdict.score()))
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
) -> Vec<Box<dyn Lookup + 'a>> {
    let policy = &round.snapshot.policy;
    let rules = &policy.rules;
    let mut tables = Tables { mentees, mentors, all: Vec::new() };
    tables.add(Some(Exclusions::new(rules)));
    tables.add((!round.organisations.is_empty()).then_some(OwnRules(&round.organisations)));
    for criterion in Criterion::ALL {
        let weight = Weight::of(policy, criterion);
        match criterion {
            Criterion::Topics => tables.add(weight.map(Coverage::topics)),
            Criterion::Functions => tables.add(weight.map(Coverage::functions)),
            Criterion::Commodities => tables.add(weight.map(Coverage::commodities)),
            Criterion::CareerStage => tables.add(Some(Stages::new(weight, rules))),
            Criterion::Language => {
                tables.add(Some(CommonLanguage::new(weight, rules.min_language_level, &round.languages)));
            }
            Criterion::WeeklyOverlap => {
                let required = rules.min_weekly_overlap_minutes;
                let overlap = (weight.is_some() || required > 0)
                    .then(|| Overlap::new(weight, required, &round.calendar));
                tables.add(overlap);
            }
            Criterion::RegionNear => tables.add(weight.map(Nearness::near)),
            Criterion::RegionFar => tables.add(weight.map(Nearness::far)),
            Criterion::MeetingMode => tables.add(Some(Meeting::new(weight))),
            Criterion::Goals => tables.add(weight.map(Similarity::goals)),
            Criterion::WorkingStyle => tables.add(weight.map(Similarity::working_styles)),
            Criterion::Preference => tables.add(weight.map(Preference::new)),
            Criterion::WaitingTime => tables.add(weight.map(WaitingTime::new)),
            Criterion::PreviousPartner => {
                tables.add(Some(EarlierPartners::new(weight, rules.previous_partners)));
            }
            Criterion::Identity => tables.add(weight.map(IdentityWishes::new)),
        }
    }
    tables.all
}

/// Builds the tables of one round.
struct Tables<'t, 'a> {
    mentees: &'t [&'t Person<'t>],
    mentors: &'t [&'t Person<'t>],
    all: Vec<Box<dyn Lookup + 'a>>,
}

impl<'a> Tables<'_, 'a> {
    fn add<A: Aspect + 'a>(&mut self, aspect: Option<A>) {
        if let Some(aspect) = aspect {
            self.all.push(Box::new(Table::new(aspect, self.mentees, self.mentors)));
        }
    }
}
