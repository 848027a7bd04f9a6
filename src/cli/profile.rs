//! `wim-match profile status`: where a person is.

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::mentorship::{code, show_due, state};
use super::names::{long_name, short};
use super::waiting::cause;
use crate::client::output::{data, json, show, titled};
use crate::client::{time_shown, v1};
use crate::domain::message::{Message, MessageValue};
use crate::domain::participant::Stage;
use crate::domain::profile::ConsentPurpose;
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show where a person is: her rounds, the waiting list, her mentorships, what is due of her and which consents lack.
    Status {
        /// The person, as ORGANISATION/ID.
        person: String,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let Command::Status { person } = command;
    let client = global.client().await?;
    let request = v1::GetParticipantStatusRequest { profile: long_name(&person)? };
    let found = client.mentorships.clone().get_participant_status(request).await?.into_inner();
    let status = found.status.unwrap_or_default();
    if global.json {
        return Ok(json(&status)?);
    }
    show_status(&status, global)
}

fn show_status(status: &v1::ParticipantStatus, global: &Global) -> Result<(), Failure> {
    let lang = global.lang;
    if status.rounds.is_empty() {
        show(&message!("she was never enrolled in a round"), lang)?;
    } else {
        let header = [
            message!("Round"),
            message!("First day"),
            message!("Last day"),
            message!("Where she is"),
            message!("Partners"),
        ];
        let mut rounds = titled(&header, lang);
        for one in &status.rounds {
            let round = one.round.trim_start_matches("rounds/").to_owned();
            let days = [one.start_date.clone(), one.end_date.clone()];
            let [first, last] = days;
            rounds.add_row([round, first, last, stage(one, lang), partners(one, &status.profile, lang)]);
        }
        data(&rounds.to_string())?;
    }
    if let Some(waiting) = &status.waiting {
        let since: String = time_shown(waiting.since.as_ref()).chars().take("YYYY-MM-DD".len()).collect();
        let why = wording::message(&cause(waiting.cause()), lang);
        show(&message!("she waits for a mentor since {since}: {why}", since = since, why = why), lang)?;
    }
    if status.restricted {
        show(&message!("the use of her data is restricted"), lang)?;
    }
    let lacking: Vec<&str> = (status.lacking_consents.iter())
        .filter_map(|purpose| ConsentPurpose::from_number(*purpose))
        .map(|purpose| wording::consent_purpose_label(purpose, lang))
        .collect();
    if !lacking.is_empty() {
        show(&message!("consents that lack: {purposes}", purposes = lacking.join(", ")), lang)?;
    }
    if !status.due.is_empty() {
        show_due(&status.due, global)?;
    }
    Ok(())
}

/// Where she is in a round, with the reason of a round without a match.
fn stage(one: &v1::Participation, lang: Lang) -> String {
    let label =
        MessageValue::Label(format!("participation_stage.{}", code(Stage::ALL, Stage::as_str, one.stage)));
    let stage = wording::message(&message!("{stage}", stage = label), lang);
    match super::waiting::reason(one.unmatched_reason, lang) {
        "" => stage,
        reason => wording::labelled(&stage, reason, lang),
    }
}

/// The partner of each mentorship with its state.
fn partners(one: &v1::Participation, person: &str, lang: Lang) -> String {
    let partner = |of: &v1::Mentorship| {
        let name = if of.mentee == person { &of.mentor } else { &of.mentee };
        let state: Message = state(of.state);
        wording::labelled(&short(name), &wording::message(&state, lang), lang)
    };
    one.mentorships.iter().map(partner).collect::<Vec<_>>().join("\n")
}
