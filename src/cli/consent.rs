//! `wim-match consent record|withdraw|list`: the record of a person's consents.

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;

use super::failure::Failure;
use super::global::Global;
use super::names::long_name;
use crate::client::output::{data, json, tell, titled};
use crate::client::{moment, v1};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::profile::{ConsentDraft, ConsentPurpose, ConsentState};
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Record a consent that a person gave.
    Record {
        /// The person, as ORGANISATION/ID.
        person: String,
        /// What she consents to.
        #[arg(long)]
        purpose: Purpose,
        /// Version of the text to which she agreed, for example 2026-1.
        #[arg(long)]
        text_version: String,
        /// Language of the text, for example es.
        #[arg(long)]
        language: String,
        /// When she gave the consent, for example 2026-10-02T14:05:00Z; without it, now.
        #[arg(long)]
        time: Option<Timestamp>,
        /// Put the new consent in the place of the live one, for example for a newer text.
        #[arg(long)]
        replace: bool,
    },
    /// Withdraw the live consent of a person, which takes her out of every round that has not ended if it is the consent to matching.
    Withdraw {
        /// The person, as ORGANISATION/ID.
        person: String,
        /// The purpose of the consent.
        #[arg(long)]
        purpose: Purpose,
    },
    /// List the consents of a person, with who recorded them.
    List {
        /// The person, as ORGANISATION/ID.
        person: String,
    },
}

/// What a person consents to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Purpose {
    /// Participation in matching rounds.
    Matching,
    /// Use of identity answers in matching.
    Identity,
    /// Matches with people of another country.
    CrossBorder,
    /// Records of how a mentorship goes on.
    FollowUp,
    /// Numbers in statistics and reports.
    Statistics,
}

impl Purpose {
    fn of_the_contract(self) -> v1::ConsentPurpose {
        match self {
            Self::Matching => v1::ConsentPurpose::Matching,
            Self::Identity => v1::ConsentPurpose::Identity,
            Self::CrossBorder => v1::ConsentPurpose::CrossBorder,
            Self::FollowUp => v1::ConsentPurpose::FollowUp,
            Self::Statistics => v1::ConsentPurpose::Statistics,
        }
    }
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    match command {
        Command::Record { person, purpose, text_version, language, time, replace } => {
            let consent = ConsentDraft {
                purpose: purpose.of_the_contract().into(),
                text_version,
                language,
                give_time: Some(time.unwrap_or_else(|| SystemClock.now())),
                withdraw_time: None,
            };
            let recorded = client.record_consent(&long_name(&person)?, consent, replace).await?;
            if global.json { json(&recorded)? } else { data(&recorded.name)? }
        }
        Command::Withdraw { person, purpose } => {
            let all = client.all_consents(&long_name(&person)?).await?;
            let is_meant = |one: &&v1::Consent| {
                one.purpose() == purpose.of_the_contract() && one.state() == v1::ConsentState::Live
            };
            let Some(live) = all.iter().find(is_meant) else {
                return Err(Failure::not_found(
                    message!("{person} has no live consent for this purpose", person = &person),
                    message!(
                        "`{command}` lists her consents",
                        command = format!("wim-match consent list {person}")
                    ),
                ));
            };
            let done = client.withdraw_consent(&live.name).await?;
            if global.json {
                json(&done)?;
            }
            let told = message!(
                "consent withdrawn; enrolments withdrawn with it: {count}",
                count = done.withdrawn_enrolments
            );
            tell(&told, global.lang);
        }
        Command::List { person } => {
            let all = client.all_consents(&long_name(&person)?).await?;
            if global.json {
                for consent in &all {
                    json(consent)?;
                }
                return Ok(());
            }
            let header = [
                message!("Purpose"),
                message!("State"),
                message!("Given"),
                message!("Withdrawn"),
                message!("Text"),
                message!("Language"),
                message!("Recorded by"),
            ];
            let mut rows = titled(&header, global.lang);
            for one in &all {
                rows.add_row(row(one, global));
            }
            data(&rows.to_string())?;
        }
    }
    Ok(())
}

fn row(consent: &v1::Consent, global: &Global) -> [String; 7] {
    let purpose = ConsentPurpose::from_number(consent.purpose)
        .map_or("", |purpose| wording::consent_purpose_label(purpose, global.lang));
    let state = match consent.state() {
        v1::ConsentState::Live => Some(ConsentState::Live),
        v1::ConsentState::Replaced => Some(ConsentState::Replaced),
        v1::ConsentState::Withdrawn => Some(ConsentState::Withdrawn),
        v1::ConsentState::Unspecified => None,
    };
    let [given, withdrawn] = [&consent.give_time, &consent.withdraw_time]
        .map(|at| at.as_ref().and_then(moment).map(|at| at.to_string()).unwrap_or_default());
    [
        purpose.to_owned(),
        state.map_or("", |state| wording::consent_state_label(state, global.lang)).to_owned(),
        given,
        withdrawn,
        consent.text_version.clone(),
        consent.language.clone(),
        consent.given.as_ref().map(|given| given.recorder.clone()).unwrap_or_default(),
    ]
}
