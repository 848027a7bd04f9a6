//! Criterion `weekly_overlap`: common minutes per week in the season of the round that has the fewest, in proportion to
//! four hours.
//!
//! The hard rule on common hours asks for a lowest number of minutes. A side that gave no hours breaks no rule.
//!
//! Few people have the same hours, so the answers do not fall into few classes, and this aspect costs the most. The dense
//! pass transposes the hours: it keeps one bit per mentor for every half hour, and adds up the half hours of a mentee for
//! [`LANES`] mentors at a time.

use super::super::aspect::{Aspect, Classifier, Compute, PointScale, Story, points, share};
use super::super::columns::MentorColumns;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::HardRule;
use crate::engine::cpu::{Column, Cpu, Key, LANES, Lanes, Seasons, WORDS};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::availability::{HALF_HOURS, Hours, WEEKS, minutes_per_week};
use crate::engine::encode::ties::{Relations, as_u32};
use crate::engine::encode::{Person, Round};

/// Minutes per week that give the full score.
const ENOUGH_MINUTES: u16 = 240;
/// Half hours over four weeks that the classes of this aspect can count.
const MOST_COUNT: usize = 200;
/// Half hours per week that few people exceed: the room that is reserved.
const USUAL: usize = 64;

/// Criterion and rule on common hours.
pub(super) struct Overlap {
    scale: Option<PointScale>,
    /// 0 switches the rule off.
    required: u16,
    seasons: usize,
    /// Common half hours over four weeks that suffice for the rule and for the full score: more change nothing.
    enough: usize,
    /// Hours of all mentors. The bits of mentors without hours or with a roster are 0.
    weekly: HourBits,
    /// Hours of the mentors with a roster.
    rostered: HourBits,
    /// Positions of mentors with a roster, ascending.
    with_roster: Vec<usize>,
    /// Number of mentors with a roster before each chunk of mentors, and in all.
    rosters_before: Vec<usize>,
    /// Columns with the class of a mentor at no common half hour: for mentees without a roster, and for mentees with one.
    bases: [usize; 2],
}

/// One bit for each mentor and half hour, [`LANES`] mentors at a time.
#[derive(Default)]
struct HourBits {
    /// Weeks that are kept per season: one, or all four.
    weeks: usize,
    /// Rows of one chunk of mentors: one per season, week and half hour, and a row without any bit.
    rows: usize,
    /// All rows of the first chunk of mentors, then all rows of the second chunk, and so on.
    free: Vec<Lanes>,
}

pub(super) fn aspect(scale: Option<PointScale>, round: &Round<'_>) -> Option<Overlap> {
    let required = round.snapshot.policy.rules.min_weekly_overlap_minutes;
    (scale.is_some() || required > 0).then(|| Overlap::new(scale, required, round.calendar.seasons()))
}

impl Overlap {
    fn new(scale: Option<PointScale>, required: u16, seasons: usize) -> Self {
        let enough = |half_hours: &u32| minutes_per_week(*half_hours) >= required.max(ENOUGH_MINUTES);
        let enough = (0..u32::from(u16::MAX)).find(enough);
        Self {
            scale,
            required,
            seasons,
            enough: enough.map_or(usize::MAX, |half_hours| half_hours as usize),
            weekly: HourBits::default(),
            rostered: HourBits::default(),
            with_roster: Vec::new(),
            rosters_before: Vec::new(),
            bases: [MentorColumns::ZERO; 2],
        }
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
        points(self.scale, minutes.map(Self::score))
            .breaking_if(minutes.is_some_and(|minutes| self.is_too_little(minutes)), HardRule::WeeklyOverlap)
    }

    /// The class of no common half hour over four weeks. The classes before it count common half hours of one week: where
    /// neither side has a roster, all weeks of a season are the same.
    fn first_of_four_weeks(&self) -> usize {
        self.enough.div_ceil(WEEKS) + 1
    }

    /// The class of mentors who gave no hours: the last class.
    fn silent_class(&self) -> usize {
        self.first_of_four_weeks() + self.enough + 1
    }
}

impl HourBits {
    /// The bits of the given hours, of which `weeks` weeks of each season are kept.
    fn new<'h>(
        hours: impl ExactSizeIterator<Item = Option<&'h Hours>>,
        seasons: usize,
        weeks: usize,
    ) -> Self {
        let rows = seasons * weeks * HALF_HOURS + 1;
        let mut free = vec![Lanes([0; WORDS]); rows * hours.len().div_ceil(LANES)];
        for (at, hours) in hours.enumerate() {
            let Some(hours) = hours else { continue };
            let chunk = &mut free[at / LANES * rows..][..rows];
            let (word, bit) = (at % LANES / 64, 1 << (at % 64));
            for season in 0..seasons {
                for week in 0..weeks {
                    for half_hour in hours.half_hours(season, week) {
                        chunk[(season * weeks + week) * HALF_HOURS + half_hour].0[word] |= bit;
                    }
                }
            }
        }
        Self { weeks, rows, free }
    }

    /// The rows of the half hours of a mentee, in the first `weeks` weeks of each season.
    fn rows_of(&self, mentee: &Hours, seasons: usize, weeks: usize) -> Seasons {
        let blank = as_u32(self.rows.saturating_sub(1));
        let mut rows = Seasons::with_room(seasons * weeks * USUAL, blank);
        let mut free: Vec<u32> = Vec::with_capacity(USUAL);
        for season in 0..seasons {
            for week in 0..weeks {
                if week < mentee.weeks() {
                    free.clear();
                    free.extend(mentee.half_hours(season, week).map(as_u32));
                }
                let first = as_u32((season * self.weeks + week % self.weeks.max(1)) * HALF_HOURS);
                rows.extend(free.iter().map(|half_hour| first + half_hour));
            }
            rows.end_season();
        }
        rows
    }

    /// The rows of one chunk of mentors.
    fn chunk(&self, at: usize) -> &[Lanes] {
        &self.free[at * self.rows..][..self.rows]
    }
}

/// Common half hours of one mentee with mentors.
struct Common<'a> {
    overlap: &'a Overlap,
    /// Rows of the mentee in each season: in `weekly`, and in `rostered`.
    rows: [Seasons; 2],
    /// Common half hours with a mentor without a roster from which more change nothing.
    most: u8,
    /// The chunk of mentors with a roster that was counted last, and its counts.
    rostered: (Option<usize>, Column),
}

impl Compute for Common<'_> {
    fn compute(&mut self, block: usize, cpu: Cpu, counts: &mut Column) {
        let overlap = self.overlap;
        cpu.count_rows(overlap.weekly.chunk(block), &self.rows[0], self.most, counts);
        let first = block * LANES;
        let listed = overlap.rosters_before[block]..overlap.rosters_before[block + 1];
        for chunk in listed.start / LANES..listed.end.div_ceil(LANES) {
            let rostered = self.rostered(chunk, cpu);
            let here = listed.start.max(chunk * LANES)..listed.end.min((chunk + 1) * LANES);
            let found = &rostered.0[here.start % LANES..];
            for (mentor, found) in overlap.with_roster[here].iter().zip(found) {
                counts.0[mentor - first] = *found;
            }
        }
    }
}

impl Common<'_> {
    /// The counts of a chunk of mentors with a roster. Consecutive blocks often need the same chunk.
    fn rostered(&mut self, chunk: usize, cpu: Cpu) -> &Column {
        let (known, counts) = &mut self.rostered;
        if *known != Some(chunk) {
            let most = byte(self.overlap.enough);
            cpu.count_rows(self.overlap.rostered.chunk(chunk), &self.rows[1], most, counts);
            *known = Some(chunk);
        }
        counts
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

    fn judge(&self, mentee: &Option<Hours>, mentor: &Option<Hours>, _: Relations) -> Verdict {
        self.verdict(Self::minutes(mentee.as_ref(), mentor.as_ref()))
    }

    fn lay_out(
        &mut self,
        _: &[Option<Hours>],
        mentors: &[Option<Hours>],
        columns: &mut MentorColumns,
    ) -> bool {
        if self.enough >= MOST_COUNT {
            return false;
        }
        let weeks = |mentor: &Option<Hours>| mentor.as_ref().map(Hours::weeks);
        self.with_roster = (0..mentors.len()).filter(|at| weeks(&mentors[*at]) == Some(WEEKS)).collect();
        let before = |mentor: usize| self.with_roster.partition_point(|at| *at < mentor);
        self.rosters_before =
            (0..=mentors.len().div_ceil(LANES)).map(|chunk| before(chunk * LANES)).collect();
        let weekly = mentors.iter().map(|hours| hours.as_ref().filter(|hours| hours.weeks() == 1));
        let rostered = self.with_roster.iter().map(|at| mentors[*at].as_ref());
        self.weekly = HourBits::new(weekly, self.seasons, 1);
        self.rostered = HourBits::new(rostered, self.seasons, WEEKS);
        let (four_weeks, silent) = (byte(self.first_of_four_weeks()), byte(self.silent_class()));
        self.bases = [0, four_weeks].map(|of_one_week| {
            columns.add(mentors.iter().map(|mentor| match weeks(mentor) {
                None => silent,
                Some(1) => of_one_week,
                Some(_) => four_weeks,
            }))
        });
        true
    }

    fn classifier<'a>(&'a self, mentee: &'a Option<Hours>) -> Classifier<'a> {
        let Some(mentee) = mentee else { return Classifier::default() };
        let has_roster = mentee.weeks() > 1;
        let (weeks, most) = if has_roster { (WEEKS, self.enough) } else { (1, self.enough.div_ceil(WEEKS)) };
        let rows = [
            self.weekly.rows_of(mentee, self.seasons, weeks),
            self.rostered.rows_of(mentee, self.seasons, WEEKS),
        ];
        let common = Common { overlap: self, rows, most: byte(most), rostered: (None, Column::ZERO) };
        let key = Key { base: self.bases[usize::from(has_roster)], ..Key::default() };
        Classifier { key, own: Some(Box::new(common)) }
    }

    fn kind(&self, mentee: &Option<Hours>) -> u32 {
        mentee.is_some().into()
    }

    fn class_verdicts(&self, mentee: &Option<Hours>, verdicts: &mut Vec<Verdict>) {
        let of_common = |half_hours: usize| self.verdict(Some(minutes_per_week(as_u32(half_hours))));
        if mentee.is_some() {
            verdicts.extend((0..self.first_of_four_weeks()).map(|common| of_common(common * WEEKS)));
            verdicts.extend((0..=self.enough).map(of_common));
        }
        verdicts.push(self.verdict(None));
    }

    fn explain(&self, mentee: &Option<Hours>, mentor: &Option<Hours>, _: Relations, story: &mut Story) {
        let minutes = Self::minutes(mentee.as_ref(), mentor.as_ref());
        let reason = |minutes: u16| Reason::new(ReasonCode::OverlapMinutes).with("minutes", minutes);
        story.finds(self.scale, minutes.map(|minutes| (Self::score(minutes), reason(minutes))));
        if let Some(minutes) = minutes.filter(|minutes| self.is_too_little(*minutes)) {
            let reason = Reason::new(ReasonCode::RuleWeeklyOverlap)
                .with("minutes", minutes)
                .with("required", self.required);
            story.breaks(HardRule::WeeklyOverlap, reason);
        }
    }
}

fn byte(class: usize) -> u8 {
    u8::try_from(class).unwrap_or(u8::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::engine::tests::reference::ReferencePair;

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        pair.minutes.map(|minutes| u64::from(minutes.min(240)) * 10_000 / 240)
    }
}
