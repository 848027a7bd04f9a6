//! Weekly overlap: common minutes per week in the season of the round where there are fewest, full score from four hours.
//! The hard rule asks for a least number of minutes; a side without hours breaks no rule.
//!
//! Few people share their hours with others, so this is the dearest aspect: the weeks of mentors without a roster are laid
//! out as column blocks, one column per half-hour word, and rosters are looked at one by one.

use std::ops::Range;

use ndarray::Array2;

use super::aspect::{Aspect, Story, Weight, points, share};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::availability::{Calendar, Hours, WEEKS, WORDS, minutes_per_week};
use crate::engine::encode::ties::Ties;

/// Minutes per week that give the full score.
const ENOUGH_MINUTES: u16 = 240;
/// Mentors looked at together: their counts stay in registers or the nearest cache.
const LANES: usize = 64;

/// Criterion and rule on common hours.
pub(in crate::engine) struct Overlap {
    weight: Option<Weight>,
    /// 0 switches the rule off.
    required: u16,
    seasons: usize,
    /// Verdict by common half hours over four weeks.
    of_common: Vec<Verdict>,
    /// Half-hour words of mentors without a roster: a row per season and word, a column per mentor; else zero.
    weeks: Array2<u64>,
    /// Positions of the other mentors: those with a roster or without hours.
    others: Vec<usize>,
}

impl Overlap {
    /// Under a policy's weight and the minutes it asks for.
    pub(in crate::engine) fn new(weight: Option<Weight>, required: u16, calendar: &Calendar) -> Self {
        let most = u32::try_from(WEEKS * WORDS * 64).unwrap_or_default();
        let mut this = Self {
            weight,
            required,
            seasons: calendar.seasons(),
            of_common: Vec::new(),
            weeks: Array2::zeros((0, 0)),
            others: Vec::new(),
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

    /// Writes the verdicts of `mentee` with the mentors `from..from + out.len()`, at most [`LANES`] of them, as if none had a
    /// roster.
    fn judge_lanes(&self, mentee: &Hours, from: usize, out: &mut [Verdict]) {
        let mut least = [u32::MAX; LANES];
        let weeks = if mentee.same_every_week().is_some() { 1 } else { WEEKS };
        for season in 0..self.seasons {
            let mut common = [0_u64; LANES];
            for week in 0..weeks {
                for (word, mine) in mentee.week(season, week).iter().enumerate() {
                    let row = self.weeks.row(season * WORDS + word).to_slice().unwrap_or_default();
                    for (theirs, common) in row[from..from + out.len()].iter().zip(&mut common) {
                        *common += u64::from((mine & theirs).count_ones());
                    }
                }
            }
            let times = u32::try_from(WEEKS / weeks).unwrap_or_default();
            for (common, least) in common.iter().zip(&mut least) {
                *least = (*least).min(u32::try_from(*common).unwrap_or(u32::MAX) * times);
            }
        }
        for (least, verdict) in least.iter().zip(out) {
            *verdict = self.of_common.get(*least as usize).copied().unwrap_or_default();
        }
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
        self.weeks = Array2::zeros((self.seasons * WORDS, mentors.len()));
        for (at, hours) in mentors.iter().enumerate() {
            match hours.as_ref().and_then(Hours::same_every_week) {
                Some(words) => {
                    for (cell, word) in self.weeks.column_mut(at).iter_mut().zip(words) {
                        *cell = *word;
                    }
                }
                None => self.others.push(at),
            }
        }
    }

    fn judge(&self, mentee: &Option<Hours>, mentor: &Option<Hours>, _: Ties) -> Verdict {
        self.verdict(Self::minutes(mentee.as_ref(), mentor.as_ref()))
    }

    fn judge_each(
        &self,
        mentee: &Option<Hours>,
        mentors: &[Option<Hours>],
        range: Range<usize>,
        out: &mut [Verdict],
    ) {
        let Some(hours) = mentee else {
            out.fill(self.verdict(None));
            return;
        };
        for (chunk, from) in out.chunks_mut(LANES).zip(range.clone().step_by(LANES)) {
            self.judge_lanes(hours, from, chunk);
        }
        let first = self.others.partition_point(|at| *at < range.start);
        for at in self.others[first..].iter().take_while(|at| **at < range.end) {
            out[at - range.start] = self.judge(mentee, &mentors[*at], Ties::NONE);
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
