//! The transitions of a mentorship's life: pure, so that a model can check them.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Answer, DeclineReason, End, EndReason, EndSide, Mentorship, MentorshipState};
use crate::domain::record::Record;
use crate::domain::run::Side;

/// A step of a mentorship's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeStep {
    /// A side answers the proposal: it accepts, or declines for a reason.
    Answer(Side, Option<DeclineReason>),
    /// The two have met for the first time.
    Meet(Date),
    /// They pause.
    Pause,
    /// They go on.
    Resume,
    /// The mentorship has served its purpose.
    Complete(EndSide),
    /// It ends before its time.
    EndEarly(EndSide, EndReason),
}

/// Why a step is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeRefusal {
    /// The state does not allow it; these do.
    State(&'static [&'static str]),
    /// The first meeting is before the publication or in the future.
    MeetingDay,
}

impl LifeStep {
    /// The states from which the step leads on.
    fn from(self) -> &'static [MentorshipState] {
        use MentorshipState::{Accepted, Active, Paused, Proposed};
        match self {
            Self::Answer(..) => &[Proposed],
            Self::Meet(_) => &[Accepted],
            Self::Pause => &[Active],
            Self::Resume => &[Paused],
            Self::Complete(_) => &[Active, Paused],
            Self::EndEarly(..) => &[Accepted, Active, Paused],
        }
    }

    /// The same states in words.
    fn states_before(self) -> &'static [&'static str] {
        match self {
            Self::Answer(..) => &["proposed"],
            Self::Meet(_) => &["accepted"],
            Self::Pause => &["active"],
            Self::Resume => &["paused"],
            Self::Complete(_) => &["active", "paused"],
            Self::EndEarly(..) => &["accepted", "active", "paused"],
        }
    }

    /// Whether the step has been taken already, so that it changes nothing.
    fn is_taken(self, now: &Mentorship) -> bool {
        match self {
            Self::Answer(side, reason) => now
                .answer(side)
                .is_some_and(|answer| answer.accepts == reason.is_none() && answer.reason == reason),
            Self::Meet(day) => now.first_meeting == Some(day),
            Self::Pause => now.state == MentorshipState::Paused,
            Self::Resume => now.state == MentorshipState::Active,
            Self::Complete(_) => now.state == MentorshipState::Completed,
            Self::EndEarly(side, reason) => now.end.as_ref().is_some_and(|end| {
                now.state == MentorshipState::EndedEarly
                    && (end.side, end.reason) == (Some(side), Some(reason))
            }),
        }
    }
}

impl Mentorship {
    /// The mentorship after a step; `None` if the step has been taken already.
    pub fn after(&self, step: LifeStep, done: &Record) -> Result<Option<Self>, LifeRefusal> {
        if step.is_taken(self) {
            return Ok(None);
        }
        // A side that has answered does not answer anew.
        let answered = matches!(step, LifeStep::Answer(side, _) if self.answer(side).is_some());
        if answered || !step.from().contains(&self.state) {
            return Err(LifeRefusal::State(step.states_before()));
        }
        let mut next = Self { version: self.version + 1, update_time: done.time, ..self.clone() };
        match step {
            LifeStep::Answer(side, reason) => next.take_answer(side, reason, done),
            LifeStep::Meet(day) => {
                let days = [self.propose_time, done.time].map(|time| time.to_zoned(TimeZone::UTC).date());
                // A day later: the day has come elsewhere before it comes in UTC.
                let latest = days[1].tomorrow().unwrap_or(days[1]);
                if day < days[0] || day > latest {
                    return Err(LifeRefusal::MeetingDay);
                }
                next.first_meeting = Some(day);
                next.state = MentorshipState::Active;
            }
            LifeStep::Pause => {
                next.pause_time = Some(done.time);
                next.state = MentorshipState::Paused;
            }
            LifeStep::Resume => {
                next.pause_time = None;
                next.state = MentorshipState::Active;
            }
            LifeStep::Complete(side) => next.end_with(MentorshipState::Completed, Some(side), None, done),
            LifeStep::EndEarly(side, reason) => {
                next.end_with(MentorshipState::EndedEarly, Some(side), Some(reason), done);
            }
        }
        Ok(Some(next))
    }

    fn take_answer(&mut self, side: Side, reason: Option<DeclineReason>, done: &Record) {
        let answer = Some(Answer { accepts: reason.is_none(), reason, given: done.clone() });
        match side {
            Side::Mentor => self.mentor_answer = answer,
            Side::Mentee => self.mentee_answer = answer,
        }
        if reason.is_some() {
            self.end_with(MentorshipState::Declined, None, None, done);
        } else if [Side::Mentor, Side::Mentee]
            .into_iter()
            .all(|side| self.answer(side).is_some_and(|answer| answer.accepts))
        {
            self.accept_time = Some(done.time);
            self.state = MentorshipState::Accepted;
        }
    }

    fn end_with(
        &mut self,
        state: MentorshipState,
        side: Option<EndSide>,
        reason: Option<EndReason>,
        done: &Record,
    ) {
        self.state = state;
        self.pause_time = None;
        self.end = Some(End { time: done.time, reason, side });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::name::{MentorshipRef, ProfileRef, RunRef};
    use crate::domain::review::Pair;

    fn proposed() -> Mentorship {
        let person = |name| ProfileRef::from_name(name).expect("a name");
        let at = |second| Timestamp::from_second(second).expect("a moment");
        Mentorship {
            name: MentorshipRef::from_name(&format!("rounds/r/mentorships/{}", "0a".repeat(16)))
                .expect("a name"),
            run: RunRef::from_name("rounds/r/runs/1").expect("a name"),
            pair: Pair {
                mentee: person("organisations/wim-kenya/profiles/c"),
                mentor: person("organisations/wim-peru/profiles/a"),
            },
            score: Some(8_000),
            state: MentorshipState::Proposed,
            propose_time: at(0),
            respond_until: at(14 * 86_400),
            mentor_answer: None,
            mentee_answer: None,
            accept_time: None,
            first_meeting: None,
            pause_time: None,
            end: None,
            days: ("1970-01-10".parse().expect("a day"), "1970-07-10".parse().expect("a day")),
            version: 1,
            update_time: at(0),
        }
    }

    fn done(second: i64) -> Record {
        Record { recorder: "p".to_owned(), time: Timestamp::from_second(second).expect("a moment") }
    }

    fn steps() -> impl Strategy<Value = Vec<LifeStep>> {
        let side = prop_oneof![Just(Side::Mentor), Just(Side::Mentee)];
        let reason = prop_oneof![
            5 => Just(None),
            1 => Just(Some(DeclineReason::NoTime)),
        ];
        let day = (0..3_i64).prop_map(|days| {
            let first: Date = "1970-01-01".parse().expect("a day");
            first.checked_add(jiff::Span::new().days(days)).expect("a day")
        });
        let step = prop_oneof![
            4 => (side, reason).prop_map(|(side, reason)| LifeStep::Answer(side, reason)),
            2 => day.prop_map(LifeStep::Meet),
            1 => Just(LifeStep::Pause),
            1 => Just(LifeStep::Resume),
            1 => Just(LifeStep::Complete(EndSide::Both)),
            1 => Just(LifeStep::EndEarly(EndSide::Mentee, EndReason::NoShow)),
        ];
        prop::collection::vec(step, 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        /// The model is the list of states that each state may follow.
        #[test]
        fn no_history_skips_a_state_or_returns_from_an_end(steps in steps()) {
            use MentorshipState::{Accepted, Active, Completed, Declined, EndedEarly, Paused, Proposed};
            let mut now = proposed();
            for (at, step) in steps.into_iter().enumerate() {
                let at = i64::try_from(at).expect("few") + 1;
                let Ok(Some(next)) = now.after(step, &done(at)) else { continue };
                let may: &[MentorshipState] = match now.state {
                    Proposed => &[Proposed, Accepted, Declined],
                    Accepted => &[Active, EndedEarly],
                    Active => &[Paused, Completed, EndedEarly],
                    Paused => &[Active, Completed, EndedEarly],
                    _ => &[],
                };
                prop_assert!(may.contains(&next.state), "{:?} to {:?}", now.state, next.state);
                prop_assert_eq!(next.version, now.version + 1);
                let is_live = matches!(next.state, Proposed | Accepted | Active | Paused);
                prop_assert_eq!(next.end.is_none(), is_live);
                prop_assert_eq!(next.pause_time.is_some(), next.state == Paused);
                if matches!(next.state, Accepted | Active | Paused | Completed) {
                    prop_assert!(next.accept_time.is_some());
                    prop_assert!([Side::Mentor, Side::Mentee].iter().all(|side| next.answer(*side).is_some_and(|one| one.accepts)));
                }
                if matches!(next.state, Active | Paused | Completed) {
                    prop_assert!(next.first_meeting.is_some());
                }
                prop_assert_eq!(next.after(step, &done(at)), Ok(None), "a step that was taken changes nothing");
                now = next;
            }
        }
    }

    #[test]
    fn a_first_meeting_has_a_day_between_the_publication_and_today() {
        let mut accepted = proposed();
        for side in [Side::Mentor, Side::Mentee] {
            accepted =
                accepted.after(LifeStep::Answer(side, None), &done(5)).expect("is open").expect("is new");
        }
        assert_eq!(accepted.state, MentorshipState::Accepted);
        let on = |day: &str, second| {
            accepted
                .after(LifeStep::Meet(day.parse().expect("a day")), &done(second))
                .map(|next| next.is_some())
        };
        assert_eq!(on("1969-12-31", 86_400), Err(LifeRefusal::MeetingDay));
        assert_eq!(on("1970-01-04", 86_400), Err(LifeRefusal::MeetingDay));
        assert_eq!(on("1970-01-02", 86_400), Ok(true));
    }

    #[test]
    fn a_side_reads_its_own_answer_and_reason_alone() {
        let accepted = proposed().after(LifeStep::Answer(Side::Mentor, None), &done(5));
        let declined = accepted.expect("is open").expect("is new");
        let declined = declined.after(LifeStep::Answer(Side::Mentee, Some(DeclineReason::NotAFit)), &done(6));
        let declined = declined.expect("is open").expect("is new");
        let seen = declined.clone().seen_by(|organisation| organisation.as_str() == "wim-peru");
        assert_eq!((seen.state, seen.mentee_answer), (MentorshipState::Declined, None));
        assert!(seen.mentor_answer.is_some_and(|answer| answer.accepts));
        assert_eq!(declined.clone().seen_by(|_| true), declined);
    }
}
