//! `wim-match waiting list|leave|carry-over`: mentees who stayed without a match in a published round.

use clap::Subcommand;

use super::enrolment::show_enrolment;
use super::failure::Failure;
use super::global::Global;
use super::names::{found, long_name, name};
use crate::client::output::{items, json, tell};
use crate::client::{Client, request_id, time_shown, v1};
use crate::domain::message::Message;
use crate::domain::run::UnmatchedReason;
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the mentees who wait for a mentor, the first to be served first.
    List {
        /// Id of an organisation: its own mentees alone.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// Id of a next round: show the priority of each mentee in it.
        #[arg(long, value_name = "ROUND")]
        round: Option<String>,
    },
    /// Take a mentee off the list, at her wish.
    Leave {
        /// The mentee, as ORGANISATION/ID.
        person: String,
        /// Check the command, and change nothing.
        #[arg(long)]
        validate_only: bool,
    },
    /// Enrol all waiting mentees of an organisation in a next round.
    CarryOver {
        /// Id of the next round.
        round: String,
        /// Id of the organisation.
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// Show who can be enrolled, and enrol nobody.
        #[arg(long)]
        validate_only: bool,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::List { organisation, round } => {
            list(&client, organisation.as_deref(), round.as_deref(), global).await
        }
        Command::Leave { person, validate_only } => {
            let profile = long_name(&person)?;
            let request = v1::LeaveWaitingListRequest {
                name: profile.replacen("/profiles/", "/waitingMentees/", 1),
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
            };
            let left = client.rounds.leave_waiting_list(request).await?.into_inner();
            if global.json {
                return Ok(json(&left.waiting_mentee.unwrap_or_default())?);
            }
            let told = if validate_only {
                message!("{person} is on the waiting list and stays on it (--validate-only)", person = person)
            } else {
                message!("{person} has left the waiting list", person = person)
            };
            tell(&told, global.lang);
            Ok(())
        }
        Command::CarryOver { round, organisation, validate_only } => {
            let request = v1::EnrolProfilesRequest {
                round: name("rounds/", &round),
                organisation: name("organisations/", &organisation),
                all_waiting: true,
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
                ..v1::EnrolProfilesRequest::default()
            };
            let done = client.rounds.enrol_profiles(request).await;
            let done = found(&client, &round, done).await?.into_inner();
            show_enrolment(&done, validate_only, global)
        }
    }
}

async fn list(
    client: &Client,
    organisation: Option<&str>,
    round: Option<&str>,
    global: &Global,
) -> Result<(), Failure> {
    let parent = name("organisations/", organisation.unwrap_or("-"));
    let round = round.map(|id| name("rounds/", id)).unwrap_or_default();
    let waiting = client.all_waiting(&parent, &round).await?;
    let header = [
        message!("Mentee"),
        message!("Waiting since"),
        message!("Rounds without a match"),
        message!("Cause"),
        message!("Reason"),
        message!("Days of waiting"),
        message!("Priority"),
    ];
    let row = |mentee: &v1::WaitingMentee| {
        let profile = mentee.profile.replacen("organisations/", "", 1).replacen("/profiles/", "/", 1);
        let since: String = time_shown(mentee.since.as_ref()).chars().take("YYYY-MM-DD".len()).collect();
        let [days, priority] = shown_priority(mentee.priority.as_ref(), global.lang);
        let rounds = mentee.rounds.to_string();
        let cause = wording::message(&cause(mentee.cause()), global.lang);
        [profile, since, rounds, cause, reason(mentee.reason, global.lang).to_owned(), days, priority]
    };
    Ok(items(&waiting, &header, row, global.json, global.lang)?)
}

/// Days of waiting and the tier in a next round; empty without a round.
fn shown_priority(priority: Option<&v1::WaitingPriority>, lang: Lang) -> [String; 2] {
    let Some(priority) = priority else { return [String::new(), String::new()] };
    let tier = if priority.first_tier { message!("first") } else { message!("like all others") };
    [priority.waited_days.to_string(), wording::message(&tier, lang)]
}

/// Why a mentee waits.
pub(super) fn cause(cause: v1::WaitingCause) -> Message {
    match cause {
        v1::WaitingCause::EarlyEnd => message!("her mentorship ended without a fault of hers"),
        v1::WaitingCause::LostMatch => message!("a repair took her match"),
        v1::WaitingCause::NoShow => message!("she did not show up or did not answer"),
        v1::WaitingCause::NoMatch | v1::WaitingCause::Unspecified => message!("no match"),
    }
}

pub(super) fn reason(number: i32, lang: Lang) -> &'static str {
    let known = UnmatchedReason::ALL.into_iter().find(|reason| *reason as i32 == number);
    known.map_or("", |reason| wording::unmatched_label(reason, lang))
}
