//! The third act of the demo: the mentorships live. Organisations answer, pairs meet, both sides say how it goes, and a second
//! round follows with newcomers and with those who wait.
//!
//! # Model
//!
//! Every draw is a function of the pair and of a question, so that the same pairs always fare the same.
//!
//! - A side accepts in 96 of 100 cases; who declines has no time.
//! - 97 of 100 accepted pairs meet, within 21 days after the first day of the round.
//! - Satisfaction is 2.2 points, plus 2.6 times the share of points that the pair has, plus at most 0.9 either way by chance, at most 5.
//!   A side says it in 85 of 100 cases.
//! - A pair below 2.5 points ends early in the middle in half of the cases, as no fit; of the others, 4 of 100 because somebody leaves
//!   the sector. All others complete the round.
//! - Half of a pair's goals are reached at 3 points, all at 5. A year after the beginning one mentee of five is promoted.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::alliance::{self, Draw};
use super::members::import;
use super::moved_clock::MovedClock;
use super::review::{Group, Told, submit_and_publish};
use crate::client::{self, Channel, Client, progress, request_id, v1};
use crate::clock::Clock as _;
use crate::domain::grant::Role;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::profile::ConsentDraft;
use crate::server::Server;
use crate::{message, wording};

/// Seed of the season.
const SEED: u64 = 2027;
/// People who join before the second round.
const NEWCOMERS: usize = 160;
/// The second round.
const SECOND: &str = "2028-first";
const SECOND_DAYS: [&str; 2] = ["2028-01-15", "2028-07-15"];

/// What the season needs.
pub(super) struct Season<'a> {
    clock: &'a MovedClock,
    told: Told,
    managers: BTreeMap<OrganisationId, Client>,
}

/// A mentorship and how it fares.
struct Fate {
    mentorship: v1::Mentorship,
    mentee: ProfileRef,
    mentor: ProfileRef,
    /// Draws satisfaction around the pair's own, in hundredths.
    satisfaction: i32,
    accepted: bool,
    meets: bool,
    ends_early: Option<v1::MentorshipEndReason>,
}

impl Fate {
    fn of(mentorship: v1::Mentorship) -> anyhow::Result<Self> {
        let (mentee, mentor) =
            (ProfileRef::from_name(&mentorship.mentee)?, ProfileRef::from_name(&mentorship.mentor)?);
        let draw = |question: &str| drawn(&mentorship, question);
        let share = mentorship.score.unwrap_or_default();
        let satisfaction = (220 + 260 * share / 10_000 + draw("chance").between(-90, 90)).clamp(100, 500);
        let ends_early = match satisfaction {
            ..250 if draw("fit").percent(50) => Some(v1::MentorshipEndReason::NotAFit),
            250.. if draw("stay").percent(4) => Some(v1::MentorshipEndReason::LeftSector),
            _ => None,
        };
        Ok(Self {
            accepted: ["mentor accepts", "mentee accepts"].into_iter().all(|side| draw(side).percent(96)),
            meets: draw("meet").percent(97),
            ends_early,
            satisfaction,
            mentee,
            mentor,
            mentorship,
        })
    }

    fn draw(&self, question: &str) -> Draw {
        drawn(&self.mentorship, question)
    }

    fn side(&self, side: v1::Side) -> &ProfileRef {
        if side == v1::Side::Mentor { &self.mentor } else { &self.mentee }
    }

    /// Whether the two go on after the middle of the round.
    fn lives(&self) -> bool {
        self.accepted && self.meets && self.ends_early.is_none()
    }

    /// What a side says at a point; `None` if it does not answer.
    fn check_in(&self, side: v1::Side, point: v1::CheckInPoint, day: Date) -> Option<v1::CheckIn> {
        let mut draw = self.draw(&format!("{} {}", side.as_str_name(), point.as_str_name()));
        let (is_mentee, later) = (side == v1::Side::Mentee, point == v1::CheckInPoint::Month12);
        // After a year only mentees are asked.
        if !draw.percent(85) || (later && !is_mentee) {
            return None;
        }
        let said = (self.satisfaction + draw.between(-60, 60)).clamp(100, 500);
        let months = match point {
            v1::CheckInPoint::Week6 => 1,
            v1::CheckInPoint::Middle => 3,
            _ => 6,
        };
        let meetings = months * draw.between(1, 2);
        let goals = draw.between(2, 4);
        let achieved = goals * (said - 100) / 400;
        let answers = v1::CheckInAnswers {
            meetings: Some(meetings).filter(|_| !later),
            minutes: Some(meetings * draw.between(45, 75)).filter(|_| !later),
            satisfaction: Some((said + 50) / 100).filter(|_| !later),
            recommend: Some((said / 50).min(10)).filter(|_| !later),
            goals_achieved: Some(achieved).filter(|_| is_mentee && !later),
            goals_partly: Some((goals - achieved).min(1)).filter(|_| is_mentee && !later),
            goals_missed: Some((goals - achieved - 1).max(0)).filter(|_| is_mentee && !later),
            promoted: Some(draw.percent(20)).filter(|_| is_mentee && later),
            changed_role: Some(draw.percent(30)).filter(|_| is_mentee && later),
            in_sector: Some(draw.percent(95)).filter(|_| is_mentee && later),
        };
        Some(v1::CheckIn {
            side: side.into(),
            point: point.into(),
            date: day.to_string(),
            answers: Some(answers),
            ..v1::CheckIn::default()
        })
    }
}

fn drawn(mentorship: &v1::Mentorship, question: &str) -> Draw {
    Draw::new(SEED, 0, &format!("{} {} {question}", mentorship.mentee, mentorship.mentor))
}

impl<'a> Season<'a> {
    /// The season of the organisations of an alliance, each with a manager.
    pub(super) async fn new(
        server: &Server,
        channel: &Channel,
        clock: &'a MovedClock,
        organisations: impl Iterator<Item = &OrganisationId>,
        told: Told,
    ) -> anyhow::Result<Self> {
        let mut managers = BTreeMap::new();
        for organisation in organisations {
            let role = Role::OrganisationManager(organisation.clone());
            let token = server.service().issue_token(&role, "demo").await?;
            managers.insert(organisation.clone(), Client::new(channel, Some(&token))?);
        }
        Ok(Self { clock, told, managers })
    }

    fn manager(&self, of: &ProfileRef) -> anyhow::Result<Client> {
        let found = self.managers.get(&of.organisation).cloned();
        found.ok_or_else(|| anyhow::anyhow!("{} has no manager", of.organisation))
    }

    /// The life of all mentorships of a round, up to a year after its first day if `with_outcomes`.
    pub(super) async fn live(
        &self,
        group: &Group,
        round: &str,
        [start, end]: [Date; 2],
        with_outcomes: bool,
    ) -> anyhow::Result<()> {
        let request = v1::ListMentorshipsRequest {
            parent: round.to_owned(),
            state: v1::MentorshipState::Proposed.into(),
            ..v1::ListMentorshipsRequest::default()
        };
        let all = group.rosa.all_mentorships(&request).await?;
        let fates = all.into_iter().map(Fate::of).collect::<anyhow::Result<Vec<_>>>()?;
        self.clock.move_to(self.clock.today().checked_add(2.days())?);
        for fate in &fates {
            self.answer(fate).await?;
        }
        self.consents(&fates).await?;
        self.clock.move_to(start.checked_add(22.days())?);
        for fate in fates.iter().filter(|fate| fate.accepted && fate.meets) {
            let day = start.checked_add(i64::from(fate.draw("day").between(1, 21)).days())?;
            let request = v1::RecordFirstMeetingRequest {
                name: fate.mentorship.name.clone(),
                date: day.max(self.clock.today().checked_sub(21.days())?).to_string(),
                request_id: request_id(),
                ..v1::RecordFirstMeetingRequest::default()
            };
            self.manager(&fate.mentee)?.mentorships.record_first_meeting(request).await?;
        }
        let middle = start.checked_add((i64::from(start.until(end)?.get_days()) / 2).days())?;
        let met = |fate: &&Fate| fate.accepted && fate.meets;
        self.check_in(fates.iter().filter(met), v1::CheckInPoint::Week6, start.checked_add(6.weeks())?)
            .await?;
        self.check_in(fates.iter().filter(met), v1::CheckInPoint::Middle, middle).await?;
        for fate in fates.iter().filter(met) {
            if let Some(reason) = fate.ends_early {
                self.close(fate, reason).await?;
            }
        }
        self.check_in(fates.iter().filter(|fate| fate.lives()), v1::CheckInPoint::End, end).await?;
        for fate in fates.iter().filter(|fate| fate.lives()) {
            self.close(fate, v1::MentorshipEndReason::Unspecified).await?;
        }
        if with_outcomes {
            let year = start.checked_add(12.months())?;
            self.check_in(fates.iter().filter(|fate| fate.lives()), v1::CheckInPoint::Month12, year).await?;
        }
        let count = |of: fn(&Fate) -> bool| fates.iter().filter(|fate| of(fate)).count();
        self.told.tell(&message!(
            "{round} lives: of {proposed} matches {accepted} are accepted by both sides, {met} meet, and {completed} are completed.",
            round = round,
            proposed = fates.len(),
            accepted = count(|fate| fate.accepted),
            met = count(|fate| fate.accepted && fate.meets),
            completed = count(Fate::lives)
        ))?;
        Ok(())
    }

    async fn answer(&self, fate: &Fate) -> anyhow::Result<()> {
        for (side, question) in [(v1::Side::Mentor, "mentor accepts"), (v1::Side::Mentee, "mentee accepts")] {
            let accepts = fate.draw(question).percent(96);
            let decline = if accepts { v1::DeclineReason::Unspecified } else { v1::DeclineReason::NoTime };
            let request = v1::RespondToMentorshipRequest {
                name: fate.mentorship.name.clone(),
                side: side.into(),
                decline_reason: decline.into(),
                request_id: request_id(),
                ..v1::RespondToMentorshipRequest::default()
            };
            self.manager(fate.side(side))?.mentorships.respond_to_mentorship(request).await?;
            if !accepts {
                break;
            }
        }
        Ok(())
    }

    /// Everybody with an accepted match consents to the follow-up.
    async fn consents(&self, fates: &[Fate]) -> anyhow::Result<()> {
        for fate in fates.iter().filter(|fate| fate.accepted) {
            for person in [&fate.mentee, &fate.mentor] {
                let manager = self.manager(person)?;
                let consent = ConsentDraft {
                    purpose: v1::ConsentPurpose::FollowUp.into(),
                    text_version: "demo-1".to_owned(),
                    language: "en".to_owned(),
                    give_time: Some(self.clock.now()),
                    withdraw_time: None,
                };
                manager.record_consent(&person.name(), consent, true).await?;
            }
        }
        Ok(())
    }

    /// Both sides of mentorships say how it goes, on a day.
    async fn check_in(
        &self,
        fates: impl Iterator<Item = &Fate>,
        point: v1::CheckInPoint,
        day: Date,
    ) -> anyhow::Result<()> {
        let day = self.clock.move_to(day);
        for fate in fates {
            for side in [v1::Side::Mentor, v1::Side::Mentee] {
                let Some(said) = fate.check_in(side, point, day) else { continue };
                let request = v1::RecordCheckInRequest {
                    parent: fate.mentorship.name.clone(),
                    check_in: Some(said),
                    request_id: request_id(),
                    ..v1::RecordCheckInRequest::default()
                };
                self.manager(fate.side(side))?.mentorships.record_check_in(request).await?;
            }
        }
        Ok(())
    }

    async fn close(&self, fate: &Fate, reason: v1::MentorshipEndReason) -> anyhow::Result<()> {
        let request = v1::CloseMentorshipRequest {
            name: fate.mentorship.name.clone(),
            side: v1::MentorshipEndSide::Both.into(),
            reason: reason.into(),
            request_id: request_id(),
            ..v1::CloseMentorshipRequest::default()
        };
        self.manager(&fate.mentee)?.mentorships.close_mentorship(request).await?;
        Ok(())
    }

    /// A second round: newcomers join, those who wait are carried over, and the mentors take part again.
    pub(super) async fn second_round(&self, group: &mut Group) -> anyhow::Result<(String, [Date; 2])> {
        let days = [SECOND_DAYS[0].parse::<Date>()?, SECOND_DAYS[1].parse::<Date>()?];
        self.clock.move_to(days[0].checked_sub(60.days())?);
        let round = v1::Round {
            display_name: wording::message(
                &message!("International mentoring round 2028 (synthetic)"),
                self.told.lang,
            ),
            start_date: SECOND_DAYS[0].to_owned(),
            end_date: SECOND_DAYS[1].to_owned(),
            all_members: true,
            ..v1::Round::default()
        };
        let request = v1::CreateRoundRequest {
            round_id: SECOND.to_owned(),
            round: Some(round),
            request_id: request_id(),
            validate_only: false,
        };
        group.rosa.rounds.create_round(request).await?;
        let name = format!("rounds/{SECOND}");
        let newcomers = alliance::newcomers(NEWCOMERS, SEED);
        for (at, organisation) in newcomers.organisations.iter().enumerate() {
            let Some(manager) = self.managers.get(&organisation.id) else { continue };
            let profiles: Vec<String> = newcomers.profiles_of(at).map(|draft| draft.name).collect();
            import(manager, &organisation.id, newcomers.csv_of(at)?).await?;
            let enrol = v1::EnrolProfilesRequest {
                round: name.clone(),
                organisation: organisation.id.name(),
                request_id: request_id(),
                ..v1::EnrolProfilesRequest::default()
            };
            let waiting = v1::EnrolProfilesRequest { all_waiting: true, ..enrol.clone() };
            manager.rounds.clone().enrol_profiles(waiting).await?;
            if !profiles.is_empty() {
                let joined = v1::EnrolProfilesRequest { profiles, request_id: request_id(), ..enrol };
                manager.rounds.clone().enrol_profiles(joined).await?;
            }
        }
        let request = v1::StartRunRequest {
            round: name.clone(),
            request_id: request_id(),
            ..v1::StartRunRequest::default()
        };
        let run = group.rosa.runs.start_run(request).await?.into_inner().run.unwrap_or_default();
        let run = progress::watch_with_bar(&group.rosa, &run.name, self.told.lang).await?;
        client::success(&run)?;
        submit_and_publish(&mut group.rosa, &mut group.amara, &run).await?;
        Ok((name, days))
    }

    /// The working group asks what the outcomes say about the weights of a round's policy.
    pub(super) async fn ask_about_weights(&self, group: &mut Group, round: &str) -> anyhow::Result<()> {
        let request = v1::SuggestWeightsRequest { name: round.to_owned(), replays: 2 };
        let answer = group.rosa.rounds.suggest_weights(request).await?.into_inner();
        let advice = answer.advice.unwrap_or_default();
        let count =
            |wanted: v1::WeightVerdict| advice.criteria.iter().filter(|one| one.verdict() == wanted).count();
        self.told.tell(&message!(
            "Rosa asks what {number|1 mentorship says|{number} mentorships say} about the weights: {more|no criterion|1 criterion|{more} criteria} went with better outcomes, {less|none|1|{less}} with worse ones; of {nothing} nothing can be said. She decides, not the service.",
            number = advice.with_satisfaction.unwrap_or_default(),
            more = count(v1::WeightVerdict::More),
            less = count(v1::WeightVerdict::Less),
            nothing = count(v1::WeightVerdict::Nothing) + count(v1::WeightVerdict::TooFew)
        ))?;
        for replay in answer.replays {
            let (Some(own), Some(other)) = (replay.own, replay.suggested) else { continue };
            self.told.tell(&message!(
                "With other weights {run} would keep {kept} of {matches} matches, and match {after} mentees instead of {before}.",
                run = replay.run,
                kept = replay.kept_matches,
                matches = own.matches,
                after = other.matched_mentees,
                before = own.matched_mentees
            ))?;
        }
        Ok(())
    }
}
