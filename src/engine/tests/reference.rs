//! Rules and scores computed from the profiles in the plainest way: no bits, no classes, minute by minute.
//!
//! The reference of a criterion stands in the test module of its own file, so that a new criterion brings its reference.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::domain::language::LanguageLevel;
use crate::domain::name::ProfileRef;
use crate::domain::organisation::OrganisationRules;
use crate::domain::policy::{HardRule, PreviousPartners};
use crate::domain::profile::{ConsentPurpose, Profile, RosterAvailability};
use crate::domain::snapshot::{Participant, Snapshot};
use crate::engine::score::expected;

pub(super) struct Reference<'a> {
    snapshot: &'a Snapshot,
    /// First day of the four weeks of a season, and a moment in its middle.
    seasons: Vec<(Date, Timestamp)>,
}

/// Free steps of five minutes over the four weeks, one list per season.
type Free = Vec<Vec<bool>>;

impl<'a> Reference<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let zones: Vec<TimeZone> = snapshot
            .participants
            .iter()
            .filter(|person| person.content.consents_to(ConsentPurpose::Matching, snapshot.freeze_time))
            .map(|person| TimeZone::get(&person.content.time_zone).expect("a zone"))
            .collect();
        let midnight = |day: Date| day.to_zoned(TimeZone::UTC).expect("midnight").timestamp();
        let changes = |day: &Date| {
            let before = midnight(*day) - Span::new().seconds(1);
            let after = midnight(*day) + Span::new().hours(24) - Span::new().seconds(1);
            zones.iter().any(|zone| zone.to_offset(before) != zone.to_offset(after))
        };
        let mut spans: Vec<Vec<Date>> = vec![vec![]];
        let mut day = snapshot.start_date;
        while day <= snapshot.end_date {
            if day > snapshot.start_date && changes(&day) {
                spans.push(vec![]);
            }
            spans.last_mut().expect("a span").push(day);
            day = day.tomorrow().expect("a day");
        }
        let longest = spans.iter().map(Vec::len).max().expect("a span");
        spans.retain(|span| span.len() >= 28 || longest < 28 && span.len() == longest);
        let seasons = spans
            .iter()
            .map(|span| {
                let monday = span.iter().position(|day| day.weekday() == jiff::civil::Weekday::Monday);
                let first = monday.filter(|monday| span.len() - monday >= 28).unwrap_or(0);
                let middle = span[span.len() / 2].at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("noon");
                (span[first], middle.timestamp())
            })
            .collect();
        Self { snapshot, seasons }
    }

    /// When someone is free; `None` if she gave no hours.
    pub(super) fn free(&self, person: &Profile) -> Option<Free> {
        if person.weekly_slots.is_empty() {
            return None;
        }
        let zone = TimeZone::get(&person.time_zone).expect("a zone");
        let is_free = |local: jiff::civil::DateTime| {
            let weekday = local.date().weekday().to_monday_zero_offset();
            let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
            let in_slot = person.weekly_slots.iter().any(|slot| {
                i8::try_from(slot.day).expect("a weekday") == weekday
                    && (i32::from(slot.start) * 30..i32::from(slot.end) * 30).contains(&minute)
            });
            in_slot
                && person.roster.is_none_or(|roster| {
                    let days = (local.date() - roster.first_day_on.expect("a first day")).get_days();
                    let cycle = i32::from(roster.days_on) + i32::from(roster.days_off);
                    let at_work = days.rem_euclid(cycle) < i32::from(roster.days_on);
                    match roster.availability {
                        RosterAvailability::Always => true,
                        RosterAvailability::DaysOn => at_work,
                        RosterAvailability::DaysOff => !at_work,
                    }
                })
        };
        let season = |(first, middle): &(Date, Timestamp)| {
            let offset = zone.to_offset(*middle);
            let start =
                first.at(0, 0, 0, 0).checked_add(Span::new().seconds(offset.seconds())).expect("in range");
            (0..28 * 24 * 12)
                .map(|step| is_free(start.checked_add(Span::new().minutes(step * 5)).expect("in range")))
                .collect()
        };
        Some(self.seasons.iter().map(season).collect())
    }

    fn common_minutes(a: &Free, b: &Free) -> u16 {
        let season = |(a, b): (&Vec<bool>, &Vec<bool>)| {
            let halves = a.chunks(6).zip(b.chunks(6));
            let common = halves.filter(|(a, b)| a.iter().all(|x| *x) && b.iter().all(|x| *x)).count();
            common * 30 / 4
        };
        u16::try_from(a.iter().zip(b).map(season).min().expect("a season")).expect("below a week")
    }

    /// Score and broken rules, without the rule on mutual mentoring.
    pub(super) fn judge(
        &self,
        mentee: (&Participant, &Option<Free>),
        mentor: (&Participant, &Option<Free>),
    ) -> (u16, BTreeSet<HardRule>) {
        let minutes = mentee.1.as_ref().zip(mentor.1.as_ref()).map(|(a, b)| Self::common_minutes(a, b));
        let pair = ReferencePair {
            snapshot: self.snapshot,
            a: &mentee.0.profile,
            b: &mentor.0.profile,
            mentee: &mentee.0.content,
            mentor: &mentor.0.content,
            minutes,
        };
        let policy = &self.snapshot.policy;
        let points =
            policy.max_points().into_iter().zip(&policy.criteria).map(|((criterion, max), weight)| {
                u64::from(max) * expected(criterion, &pair).unwrap_or(u64::from(weight.neutral)) / 10_000
            });
        let score = u16::try_from(points.sum::<u64>()).expect("at most full");
        (score, pair.broken(score))
    }
}

/// Two people and their common minutes.
pub(in crate::engine) struct ReferencePair<'a> {
    pub(in crate::engine) snapshot: &'a Snapshot,
    pub(in crate::engine) a: &'a ProfileRef,
    pub(in crate::engine) b: &'a ProfileRef,
    pub(in crate::engine) mentee: &'a Profile,
    pub(in crate::engine) mentor: &'a Profile,
    pub(in crate::engine) minutes: Option<u16>,
}

impl ReferencePair<'_> {
    pub(in crate::engine) fn gap(&self) -> Option<i32> {
        let stages = self.mentor.career_stage.zip(self.mentee.career_stage);
        stages.map(|(x, y)| i32::from(x) - i32::from(y))
    }

    pub(in crate::engine) fn were_partners(&self) -> bool {
        self.mentee.previous_partners.contains(self.b) || self.mentor.previous_partners.contains(self.a)
    }

    /// The broken rules at a score.
    fn broken(&self, score: u16) -> BTreeSet<HardRule> {
        let Self { snapshot, a, b, mentee, mentor, minutes } = *self;
        let rules = &snapshot.policy.rules;
        let (level, gap, before) = (common_level(mentee, mentor), self.gap(), self.were_partners());
        let same_country = mentee.country == mentor.country;
        let apart = |rules: &OrganisationRules, own: &_, other: &_| {
            own != other && rules.same_organisation_only || rules.excluded_organisations.contains(other)
        };
        let own_rules =
            |id: &_| snapshot.organisations.iter().find(|(other, _)| other == id).map(|(_, rules)| rules);
        let (x, y) = (&a.organisation, &b.organisation);
        let organisation = own_rules(x).is_some_and(|rules| apart(rules, x, y))
            || own_rules(y).is_some_and(|rules| apart(rules, y, x));
        let common_modes: Vec<_> =
            modes(mentee).into_iter().filter(|mode| modes(mentor).contains(mode)).collect();
        let modes_missing = modes(mentee).is_empty() || modes(mentor).is_empty();
        let line = mentee.reporting_line.contains(b) || mentor.reporting_line.contains(a);
        let broken = [
            (HardRule::SamePerson, a == b),
            (
                HardRule::Employer,
                !rules.allow_same_employer && same(mentee.employer.as_ref(), mentor.employer.as_ref()),
            ),
            (
                HardRule::CompetitorGroup,
                !rules.allow_same_competitor_group
                    && same(mentee.competitor_group.as_ref(), mentor.competitor_group.as_ref()),
            ),
            (HardRule::Language, level.is_none_or(|level| level < rules.min_language_level)),
            (
                HardRule::WeeklyOverlap,
                minutes.is_some_and(|minutes| minutes < rules.min_weekly_overlap_minutes),
            ),
            (
                HardRule::StageGap,
                gap.is_some_and(|gap| {
                    gap < i32::from(rules.min_stage_gap) || gap > i32::from(rules.max_stage_gap)
                }),
            ),
            (HardRule::PreviousPartner, before && rules.previous_partners == PreviousPartners::Forbid),
            (HardRule::Organisation, organisation),
            (HardRule::MinScore, score < rules.min_score),
            (
                HardRule::Private,
                mentee.avoided.contains(b)
                    || mentor.avoided.contains(a)
                    || line && !rules.allow_same_reporting_line
                    || rules.require_cross_border_consent
                        && mentee.country != mentor.country
                        && ![mentee, mentor].iter().all(|person| {
                            person.consents_to(ConsentPurpose::CrossBorder, snapshot.freeze_time)
                        }),
            ),
            (
                HardRule::MeetingMode,
                !modes_missing && (common_modes.is_empty() || common_modes == ["in_person"] && !same_country),
            ),
        ];
        broken.into_iter().filter(|(_, is_broken)| *is_broken).map(|(rule, _)| rule).collect()
    }
}

fn same(a: Option<&String>, b: Option<&String>) -> bool {
    a.is_some() && a == b
}

pub(in crate::engine) fn modes(person: &Profile) -> Vec<&'static str> {
    let modes = [(person.meeting_modes.by_call, "call"), (person.meeting_modes.in_person, "in_person")];
    modes.into_iter().filter(|(given, _)| *given).map(|(_, mode)| mode).collect()
}

pub(in crate::engine) fn covered(sought: &[&str], offered: &[&str]) -> Option<u64> {
    let found = sought.iter().filter(|code| offered.contains(code)).count() as u64;
    (!sought.is_empty() && !offered.is_empty()).then(|| found * 10_000 / sought.len() as u64)
}

pub(in crate::engine) fn jaccard(a: &[&str], b: &[&str]) -> Option<u64> {
    let common = a.iter().filter(|code| b.contains(code)).count();
    let all = a.len() + b.len() - common;
    (!a.is_empty() && !b.is_empty()).then(|| (common * 10_000 / all) as u64)
}

pub(in crate::engine) fn nearness(a: &Profile, b: &Profile) -> u64 {
    let (here, there) = (a.country.region(), b.country.region());
    match () {
        () if a.country == b.country => 10_000,
        () if here == there => 7_000,
        () if here.parent() == there.parent() => 4_000,
        () => 0,
    }
}

pub(in crate::engine) fn common_level(a: &Profile, b: &Profile) -> Option<LanguageLevel> {
    let pairs = a.languages.iter().flat_map(|x| b.languages.iter().map(move |y| (x, y)));
    pairs.filter(|(x, y)| x.primary() == y.primary()).map(|(x, y)| x.level.min(y.level)).max()
}
