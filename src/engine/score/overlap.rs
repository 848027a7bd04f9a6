//! Weekly overlap: common minutes per week in the season of the round where there are fewest, full score from four hours.
//! The hard rule asks for a least number of minutes; a side without hours breaks no rule.
//!
//! Few people share their hours with others, so this is the dearest aspect. The dense pass turns it on its side: for every
//! half hour there is one bit per mentor, and the half hours of a mentee are added up for 64 mentors at a time.

use std::ops::Range;

use ndarray::Array2;

use super::aspect::{Aspect, Story, Weight, points, share};
use super::counters::{Counters, LANES};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::availability::{Calendar, HALF_HOURS, Hours, WEEKS, minutes_per_week};
use crate::engine::encode::ties::Ties;

/// Minutes per week that give the full score.
const ENOUGH_MINUTES: u16 = 240;

/// Criterion and rule on common hours.
pub(in crate::engine) struct Overlap {
    weight: Option<Weight>,
    /// 0 switches the rule off.
    required: u16,
    seasons: usize,
    /// Verdict by common half hours over four weeks.
    of_common: Vec<Verdict>,
    /// Mentors with the same hours every week.
    weekly: Block,
    /// Mentors with a roster.
    rostered: Block,
    /// Positions of mentors who gave no hours.
    silent: Vec<usize>,
}

/// Some of the mentors, with one bit for each and every half hour.
#[derive(Default)]
struct Block {
    /// Their positions among all, ascending.
    positions: Vec<usize>,
    /// Weeks that are kept per season: one, or all four.
    weeks: usize,
    /// A row per season, week and half hour; a column per 64 mentors.
    free: Array2<u64>,
}

impl Overlap {
    /// Under a policy's weight and the minutes it asks for.
    pub(in crate::engine) fn new(weight: Option<Weight>, required: u16, calendar: &Calendar) -> Self {
        let most = u32::try_from(WEEKS * HALF_HOURS).unwrap_or_default();
        let mut this = Self {
            weight,
            required,
            seasons: calendar.seasons(),
            of_common: Vec::new(),
            weekly: Block::default(),
            rostered: Block::default(),
            silent: Vec::new(),
        };
        this.of_common = (0..=most).map(|common| this.verdict(Some(minutes_per_week(common)))).collect();
        this
    }

    fn score(minutes: u16) -> u16 {
        share(u32::from(minutes.min(ENOUGH_MINUTES)), u32::from(ENOUGH_MINUTES))
    }

    /// Common minutes; `None` if a side gave no hours.
    fn minutes(mentee: Option<&Hours>, mentor: Option<&Hours>) -> Option<u16> {
        mentee.zip(mentor).map(|(mentee, mentor)| mentee.common_minutes(mentor))
    }

    fn is_too_little(&self, minutes: u16) -> bool {
        minutes < self.required
    }

    fn verdict(&self, minutes: Option<u16>) -> Verdict {
        points(self.weight, minutes.map(Self::score))
            .breaking_if(minutes.is_some_and(|minutes| self.is_too_little(minutes)), HardRule::WeeklyOverlap)
    }

    /// Writes the verdicts of a mentee with those mentors of a block that are in `range`.
    fn judge_block(&self, mentee: &Hours, block: &Block, range: &Range<usize>, out: &mut [Verdict]) {
        let first = block.positions.partition_point(|at| *at < range.start);
        let end = block.positions.partition_point(|at| *at < range.end);
        if first == end {
            return;
        }
        // A mentor without a roster is free in every week or in none: if the mentee has none either, one week tells all.
        let (weeks, times) = if mentee.weeks().max(block.weeks) == 1 { (1, WEEKS) } else { (WEEKS, 1) };
        let rows: Vec<Vec<usize>> =
            (0..self.seasons).map(|season| block.rows(mentee, season, weeks).collect()).collect();
        let all_words = block.positions.len().div_ceil(64);
        for from in (first / 64..end.div_ceil(64)).step_by(LANES / 64) {
            let words = from..all_words.min(from + LANES / 64);
            let mut least: Option<Counters> = None;
            for rows in &rows {
                let mut common = Counters::below(rows.len());
                common.add(rows.iter().map(|row| {
                    let row = block.free.row(*row).to_slice().unwrap_or_default();
                    &row[words.clone()]
                }));
                match &mut least {
                    Some(least) => least.keep_least(&common),
                    None => least = Some(common),
                }
            }
            let Some(least) = least else { return };
            for word in words.clone() {
                let lanes = (word * 64).max(first)..((word + 1) * 64).min(end);
                let common = least.word(word - from);
                for lane in lanes {
                    let verdict = self.of_common.get(usize::from(common[lane % 64]) * times);
                    out[block.positions[lane] - range.start] = verdict.copied().unwrap_or_default();
                }
            }
        }
    }
}

impl Block {
    /// The mentors of some positions, of whose hours `weeks` weeks are kept.
    fn new(mentors: &[Option<Hours>], positions: Vec<usize>, seasons: usize, weeks: usize) -> Self {
        let mut free = Array2::zeros((seasons * weeks * HALF_HOURS, positions.len().div_ceil(64)));
        for (lane, at) in positions.iter().enumerate() {
            let Some(hours) = &mentors[*at] else { continue };
            for season in 0..seasons {
                for week in 0..weeks {
                    for half_hour in hours.half_hours(season, week) {
                        free[((season * weeks + week) * HALF_HOURS + half_hour, lane / 64)] |=
                            1 << (lane % 64);
                    }
                }
            }
        }
        Self { positions, weeks, free }
    }

    /// The rows of the half hours of a mentee in some weeks of a season.
    fn rows(&self, mentee: &Hours, season: usize, weeks: usize) -> impl Iterator<Item = usize> {
        (0..weeks).flat_map(move |week| {
            let from = (season * self.weeks + week % self.weeks.max(1)) * HALF_HOURS;
            mentee.half_hours(season, week).map(move |half_hour| from + half_hour)
        })
    }
}

impl Aspect for Overlap {
    type Mentee = Option<Hours>;
    type Mentor = Option<Hours>;

    fn mentee(&self, person: &Person<'_>) -> Option<Hours> {
        person.hours.clone()
    }

    fn mentor(&self, person: &Person<'_>) -> Option<Hours> {
        person.hours.clone()
    }

    fn prepare(&mut self, mentors: &[Option<Hours>]) {
        let with = |weeks: Option<usize>| -> Vec<usize> {
            let is_meant = |at: &usize| mentors[*at].as_ref().map(Hours::weeks) == weeks;
            (0..mentors.len()).filter(is_meant).collect()
        };
        self.weekly = Block::new(mentors, with(Some(1)), self.seasons, 1);
        self.rostered = Block::new(mentors, with(Some(WEEKS)), self.seasons, WEEKS);
        self.silent = with(None);
    }

    fn judge(&self, mentee: &Option<Hours>, mentor: &Option<Hours>, _: Ties) -> Verdict {
        self.verdict(Self::minutes(mentee.as_ref(), mentor.as_ref()))
    }

    fn judge_each(
        &self,
        mentee: &Option<Hours>,
        _: &[Option<Hours>],
        range: Range<usize>,
        out: &mut [Verdict],
    ) {
        let Some(hours) = mentee else {
            out.fill(self.verdict(None));
            return;
        };
        self.judge_block(hours, &self.weekly, &range, out);
        self.judge_block(hours, &self.rostered, &range, out);
        let first = self.silent.partition_point(|at| *at < range.start);
        for at in self.silent[first..].iter().take_while(|at| **at < range.end) {
            out[at - range.start] = self.verdict(None);
        }
    }

    fn explain(&self, mentee: &Option<Hours>, mentor: &Option<Hours>, _: Ties, story: &mut Story) {
        let minutes = Self::minutes(mentee.as_ref(), mentor.as_ref());
        let reason = |minutes: u16| Reason::new(ReasonCode::OverlapMinutes).with("minutes", minutes);
        story.finds(self.weight, minutes.map(|minutes| (Self::score(minutes), reason(minutes))));
        if let Some(minutes) = minutes.filter(|minutes| self.is_too_little(*minutes)) {
            let reason = Reason::new(ReasonCode::RuleWeeklyOverlap)
                .with("minutes", minutes)
                .with("required", self.required);
            story.breaks(HardRule::WeeklyOverlap, reason);
        }
    }
}
