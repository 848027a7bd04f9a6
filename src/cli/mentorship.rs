//! `wim-match mentorship list|show|respond|meet|pause|resume|close|check-in|check-ins|due`: the life of published matches.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::global::Global;
use super::names::{found, name, short};
use crate::client::output::{items, json, tell};
use crate::client::{Client, request_id, time_shown, v1};
use crate::domain::mentorship::check_in::{Instrument, Point};
use crate::domain::mentorship::{DeclineReason, EndReason, EndSide, MentorshipState};
use crate::domain::message::{Message, MessageValue};
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the mentorships of a round.
    List {
        /// Id of the round.
        round: String,
        /// Id of an organisation: mentorships of its members alone.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// Mentorships in this state alone.
        #[arg(long, value_parser = codes(MentorshipState::ALL, MentorshipState::as_str))]
        state: Option<String>,
        /// Mentorships whose first meeting is overdue alone.
        #[arg(long)]
        overdue: bool,
    },
    /// Show one mentorship.
    Show {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
    },
    /// Record that a side accepts or declines.
    Respond {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
        /// The side of your member.
        #[arg(long, value_parser = ["mentor", "mentee"])]
        side: String,
        /// She declines, for this reason; without it she accepts.
        #[arg(long, value_name = "REASON", value_parser = codes(DeclineReason::ALL, DeclineReason::as_str))]
        decline: Option<String>,
    },
    /// Record the first meeting.
    Meet {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
        /// The day, YYYY-MM-DD.
        date: String,
    },
    /// Pause a mentorship.
    Pause {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
    },
    /// Resume a mentorship that pauses.
    Resume {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
    },
    /// End a mentorship: completed, or early for a reason.
    Close {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
        /// Who ends it.
        #[arg(long, value_parser = codes(EndSide::ALL, EndSide::as_str))]
        side: String,
        /// Why it ends before its time; without it, it is completed.
        #[arg(long, value_name = "REASON", value_parser = codes(EndReason::ALL, EndReason::as_str))]
        early: Option<String>,
    },
    /// Record what one side says at a point of the schedule.
    CheckIn(CheckIn),
    /// List the check-ins of your members in a mentorship.
    CheckIns {
        /// The mentorship, as `mentorship list` names it.
        mentorship: String,
    },
    /// List what is due of an organisation's members, overdue things too.
    Due {
        /// Id of the organisation.
        organisation: String,
        /// Days from today on.
        #[arg(long, default_value_t = 7)]
        days: i32,
    },
}

/// A check-in.
#[derive(Debug, Args)]
pub(super) struct CheckIn {
    /// The mentorship, as `mentorship list` names it.
    mentorship: String,
    /// The side of your member.
    #[arg(long, value_parser = ["mentor", "mentee"])]
    side: String,
    /// The point of the schedule.
    #[arg(long, value_parser = codes(Point::ALL, Point::as_str))]
    point: String,
    /// The day on which she answered, YYYY-MM-DD.
    #[arg(long)]
    date: String,
    /// Meetings held since the start.
    #[arg(long)]
    meetings: Option<i32>,
    /// Minutes of all of them.
    #[arg(long)]
    minutes: Option<i32>,
    /// Satisfaction, 1 to 5.
    #[arg(long)]
    satisfaction: Option<i32>,
    /// How likely she recommends the programme, 0 to 10.
    #[arg(long)]
    recommend: Option<i32>,
    /// Goals that were achieved, achieved in part, and missed: three numbers.
    #[arg(long, num_args = 3, value_names = ["ACHIEVED", "PARTLY", "MISSED"])]
    goals: Option<Vec<i32>>,
    /// She was promoted since the start: true or false.
    #[arg(long)]
    promoted: Option<bool>,
    /// She has another role than at the start: true or false.
    #[arg(long)]
    changed_role: Option<bool>,
    /// She works in the sector: true or false.
    #[arg(long)]
    in_sector: Option<bool>,
    /// The instrument of a measurement.
    #[arg(long, requires = "score", value_parser = codes(Instrument::ALL, Instrument::as_str))]
    instrument: Option<String>,
    /// The version of the instrument.
    #[arg(long, default_value = "", requires = "instrument")]
    instrument_version: String,
    /// The mean of its items, in hundredths: 425 is 4.25.
    #[arg(long, requires = "instrument")]
    score: Option<i32>,
    /// Check the command, and record nothing.
    #[arg(long)]
    validate_only: bool,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::List { round, organisation, state, overdue } => {
            let filter = v1::ListMentorshipsRequest {
                parent: name("rounds/", &round),
                state: number(MentorshipState::ALL, MentorshipState::as_str, state.as_deref()),
                overdue,
                organisation: organisation.map(|id| name("organisations/", &id)).unwrap_or_default(),
                ..v1::ListMentorshipsRequest::default()
            };
            show_all(&client.all_mentorships(&filter).await?, global)
        }
        Command::Show { mentorship } => {
            let request = v1::GetMentorshipRequest { name: long(&mentorship) };
            let one = client.mentorships.get_mentorship(request).await?.into_inner().mentorship;
            show_all(&[one.unwrap_or_default()], global)
        }
        Command::CheckIn(check_in) => record(&mut client, check_in, global).await,
        Command::CheckIns { mentorship } => {
            let request = v1::ListCheckInsRequest { parent: long(&mentorship) };
            let all = client.mentorships.list_check_ins(request).await?.into_inner().check_ins;
            show_check_ins(&all, global)
        }
        Command::Due { organisation, days } => {
            let due = client.all_due(&name("organisations/", &organisation), days).await?;
            show_due(&due, global)
        }
        step => {
            let (round, changed) = change(&mut client, step).await;
            let mentorship = found(&client, &round, changed).await?.unwrap_or_default();
            if global.json {
                return Ok(json(&mentorship)?);
            }
            tell(
                &message!(
                    "{name} is in the state “{state}” now",
                    name = given(&mentorship.name),
                    state = wording::message(&state(mentorship.state), global.lang)
                ),
                global.lang,
            );
            Ok(())
        }
    }
}

/// Takes a step of a mentorship's life, and returns the round with the answer.
async fn change(
    client: &mut Client,
    step: Command,
) -> (String, Result<Option<v1::Mentorship>, tonic::Status>) {
    let name = match &step {
        Command::Respond { mentorship, .. }
        | Command::Meet { mentorship, .. }
        | Command::Pause { mentorship }
        | Command::Resume { mentorship }
        | Command::Close { mentorship, .. } => long(mentorship),
        _ => return (String::new(), Ok(None)),
    };
    let round = name.split("/mentorships/").next().unwrap_or_default().to_owned();
    let mut mentorships = client.mentorships.clone();
    macro_rules! taken {
        ($method:ident: $request:ident { $($field:ident: $value:expr),* }) => {{
            let request_id = request_id();
            let request = v1::$request { name, $($field: $value,)* request_id, ..v1::$request::default() };
            mentorships.$method(request).await.map(|done| done.into_inner().mentorship)
        }};
    }
    let answer = match step {
        Command::Respond { side, decline, .. } => {
            let decline = number(DeclineReason::ALL, DeclineReason::as_str, decline.as_deref());
            taken!(respond_to_mentorship: RespondToMentorshipRequest {
                side: side_number(&side),
                decline_reason: decline
            })
        }
        Command::Meet { date, .. } => taken!(record_first_meeting: RecordFirstMeetingRequest { date: date }),
        Command::Pause { .. } => taken!(pause_mentorship: PauseMentorshipRequest {}),
        Command::Resume { .. } => taken!(resume_mentorship: ResumeMentorshipRequest {}),
        Command::Close { side, early, .. } => taken!(close_mentorship: CloseMentorshipRequest {
            side: number(EndSide::ALL, EndSide::as_str, Some(&side)),
            reason: number(EndReason::ALL, EndReason::as_str, early.as_deref())
        }),
        _ => Ok(None),
    };
    (round, answer)
}

async fn record(client: &mut Client, given: CheckIn, global: &Global) -> Result<(), Failure> {
    let validate_only = given.validate_only;
    let goal = |at: usize| given.goals.as_ref().and_then(|goals| goals.get(at).copied());
    let answers = v1::CheckInAnswers {
        meetings: given.meetings,
        minutes: given.minutes,
        satisfaction: given.satisfaction,
        recommend: given.recommend,
        goals_achieved: goal(0),
        goals_partly: goal(1),
        goals_missed: goal(2),
        promoted: given.promoted,
        changed_role: given.changed_role,
        in_sector: given.in_sector,
    };
    let measurement = given.instrument.as_deref().map(|instrument| v1::Measurement {
        instrument: number(Instrument::ALL, Instrument::as_str, Some(instrument)),
        version: given.instrument_version.clone(),
        score_hundredths: given.score.unwrap_or_default(),
    });
    let check_in = v1::CheckIn {
        side: side_number(&given.side),
        point: number(Point::ALL, Point::as_str, Some(&given.point)),
        date: given.date.clone(),
        answers: Some(answers),
        measurement,
        ..v1::CheckIn::default()
    };
    let request = v1::RecordCheckInRequest {
        parent: long(&given.mentorship),
        check_in: Some(check_in),
        request_id: if validate_only { String::new() } else { request_id() },
        validate_only,
    };
    let done = client.mentorships.record_check_in(request).await?.into_inner();
    if global.json {
        return Ok(json(&done)?);
    }
    for wrong in &done.violations {
        tell(
            &message!("{field}: {wrong}", field = &wrong.field, wrong = wrong.description.clone()),
            global.lang,
        );
    }
    if done.violations.is_empty() {
        let told = if validate_only {
            message!("the check-in is good; nothing was recorded (--validate-only)")
        } else {
            message!("the check-in is recorded")
        };
        tell(&told, global.lang);
    }
    Ok(())
}

fn show_all(all: &[v1::Mentorship], global: &Global) -> Result<(), Failure> {
    let header = [
        message!("Mentorship"),
        message!("Mentee"),
        message!("Mentor"),
        message!("State"),
        message!("First meeting"),
        message!("Answer until"),
    ];
    let row = |one: &v1::Mentorship| {
        let until = time_shown(one.respond_until_time.as_ref());
        let state = wording::message(&state(one.state), global.lang);
        let meeting = if one.overdue {
            wording::message(&message!("overdue"), global.lang)
        } else {
            one.first_meeting_date.clone()
        };
        let day: String = until.chars().take("YYYY-MM-DD".len()).collect();
        [given(&one.name), short(&one.mentee), short(&one.mentor), state, meeting, day]
    };
    Ok(items(all, &header, row, global.json, global.lang)?)
}

fn show_check_ins(all: &[v1::CheckIn], global: &Global) -> Result<(), Failure> {
    let header = [
        message!("Side"),
        message!("Point"),
        message!("Date"),
        message!("Meetings"),
        message!("Satisfaction"),
        message!("Recommends"),
    ];
    let shown = |value: Option<i32>| value.map(|value| value.to_string()).unwrap_or_default();
    let row = |one: &v1::CheckIn| {
        let answers = one.answers.unwrap_or_default();
        [
            side(one.side, global.lang),
            code(Point::ALL, Point::as_str, one.point),
            one.date.clone(),
            shown(answers.meetings),
            shown(answers.satisfaction),
            shown(answers.recommend),
        ]
    };
    Ok(items(all, &header, row, global.json, global.lang)?)
}

pub(super) fn show_due(due: &[v1::Due], global: &Global) -> Result<(), Failure> {
    let header =
        [message!("Date"), message!("Person"), message!("Side"), message!("Due"), message!("Mentorship")];
    let row = |one: &v1::Due| {
        let what = match one.kind() {
            v1::DueKind::Answer => wording::message(&message!("answer"), global.lang),
            v1::DueKind::FirstMeeting => wording::message(&message!("first meeting"), global.lang),
            v1::DueKind::CheckIn | v1::DueKind::Unspecified => {
                let point = code(Point::ALL, Point::as_str, one.point);
                wording::message(&message!("check-in {point}", point = point), global.lang)
            }
        };
        let person = short(&one.profile);
        [one.date.clone(), person, side(one.side, global.lang), what, given(&one.mentorship)]
    };
    Ok(items(due, &header, row, global.json, global.lang)?)
}

/// The codes of a list, as clap offers them.
fn codes<T: Copy>(all: &'static [T], name: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|code| name(*code)))
}

/// The number of a code in the contract; 0 without one.
fn number<T: Copy>(all: &[T], name: fn(T) -> &'static str, code: Option<&str>) -> i32 {
    let place = code.and_then(|code| all.iter().position(|one| name(*one) == code));
    place.and_then(|place| i32::try_from(place + 1).ok()).unwrap_or_default()
}

/// The code of a number; empty for 0.
pub(super) fn code<T: Copy>(all: &[T], name: fn(T) -> &'static str, number: i32) -> String {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| all.get(place)).map(|one| name(*one).to_owned()).unwrap_or_default()
}

pub(super) fn state(number: i32) -> Message {
    let code = code(MentorshipState::ALL, MentorshipState::as_str, number);
    let label = MessageValue::Label(format!("mentorship_state.{code}"));
    message!("{state}", state = label)
}

fn side_number(side: &str) -> i32 {
    if side == "mentor" { v1::Side::Mentor.into() } else { v1::Side::Mentee.into() }
}

fn side(number: i32, lang: Lang) -> String {
    let told = if number == v1::Side::Mentor as i32 { message!("Mentor") } else { message!("Mentee") };
    wording::message(&told, lang)
}

/// The resource name of a mentorship, given as ROUND/ID or whole.
fn long(given: &str) -> String {
    match given.strip_prefix("rounds/") {
        Some(_) => given.to_owned(),
        None => format!("rounds/{}", given.replacen('/', "/mentorships/", 1)),
    }
}

/// A mentorship as tables name it, ROUND/ID.
fn given(name: &str) -> String {
    name.trim_start_matches("rounds/").replacen("/mentorships/", "/", 1)
}
