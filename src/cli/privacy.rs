//! `wim-match privacy erase|erasure|purge|export|restrict|lift|restrictions|affected|record|notice`: the rights of a person whose profile is stored.

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;

use super::failure::Failure;
use super::global::Global;
use super::names::{long_name, name};
use crate::client::output::{data, items, json, tell};
use crate::client::{request_id, time_shown, v1};
use crate::domain::message::Message;
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Erase a person: her profile with all versions, and what runs and the lists of others say of her. It cannot be undone.
    Erase {
        /// The person, as ORGANISATION/ID.
        person: String,
        /// Erase nothing, and count what would be erased.
        #[arg(long)]
        validate_only: bool,
    },
    /// Print everything that is stored of a person, as JSON, for her access.
    Export {
        /// The person, as ORGANISATION/ID.
        person: String,
    },
    /// Show how far an erasure has come.
    Erasure {
        /// Id of the erasure, which `privacy erase` printed.
        id: String,
    },
    /// Erase the people of an organisation who have taken part in nothing for the time that it has set. It cannot be undone.
    Purge {
        /// Id of the organisation.
        organisation: String,
        /// Erase nobody, and count what would be erased.
        #[arg(long)]
        validate_only: bool,
    },
    /// Keep the data of a person and use it no more: she leaves every round that has not ended.
    Restrict {
        /// The person, as ORGANISATION/ID.
        person: String,
        /// Why her data is not used.
        #[arg(long)]
        reason: Reason,
    },
    /// Lift the restriction of a person.
    Lift {
        /// The person, as ORGANISATION/ID.
        person: String,
    },
    /// List the restrictions of an organisation's people, lifted ones too.
    Restrictions {
        /// Id of the organisation.
        organisation: String,
    },
    /// List the people of an organisation whose data was stored or changed in a time: whom to inform after a breach.
    Affected {
        /// Id of the organisation.
        organisation: String,
        /// Beginning of the time, for example 2027-01-10T00:00:00Z; without it, everybody whose data was held before its end.
        #[arg(long)]
        from: Option<Timestamp>,
        /// End of the time; without it, now.
        #[arg(long)]
        until: Option<Timestamp>,
    },
    /// Print the extract for the record of processing activities of an organisation.
    Record {
        /// Id of the organisation.
        organisation: String,
    },
    /// Print the notice for participants: how a round forms pairs, who decides, and what their rights are.
    Notice {
        /// Id of the round.
        round: String,
        /// Number of the policy; without it, the newest.
        #[arg(long)]
        policy: Option<i64>,
    },
}

/// Why a person's data is not used.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Reason {
    /// She contests that the data is right.
    AccuracyContested,
    /// The use was unlawful, and she asks for a restriction instead of an erasure.
    UnlawfulProcessing,
    /// The data is only needed for a legal claim.
    LegalClaim,
    /// She has objected.
    Objection,
}

impl Reason {
    fn of_the_contract(self) -> v1::RestrictionReason {
        match self {
            Self::AccuracyContested => v1::RestrictionReason::AccuracyContested,
            Self::UnlawfulProcessing => v1::RestrictionReason::UnlawfulProcessing,
            Self::LegalClaim => v1::RestrictionReason::LegalClaim,
            Self::Objection => v1::RestrictionReason::Objection,
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    match command {
        Command::Erase { person, validate_only } => {
            let request = v1::EraseProfileRequest {
                name: long_name(&person)?,
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
            };
            let answer = client.privacy.erase_profile(request).await?.into_inner();
            let erasure = answer.erasure.unwrap_or_default();
            if validate_only {
                let counts = erasure.counts.unwrap_or_default();
                if global.json {
                    return Ok(json(&counts)?);
                }
                let told = message!(
                    "would be erased: {versions|1 version of the profile|{versions} versions of the profile}, {enrolments|1 enrolment|{enrolments} enrolments} and what {runs|1 run says|{runs} runs say} of her; nothing was erased (--validate-only)",
                    versions = counts.versions,
                    enrolments = counts.enrolments,
                    runs = counts.runs
                );
                tell(&told, global.lang);
                return Ok(());
            }
            show(&erasure, global)?;
        }
        Command::Export { person } => {
            let request = v1::ExportPersonalDataRequest {
                name: long_name(&person)?,
                language_code: global.lang.tag().to_owned(),
            };
            let answer = client.privacy.export_personal_data(request).await?.into_inner();
            json(&answer.data.unwrap_or_default())?;
        }
        Command::Erasure { id } => {
            let request = v1::GetErasureRequest { name: name("erasures/", &id) };
            let answer = client.privacy.get_erasure(request).await?.into_inner();
            show(&answer.erasure.unwrap_or_default(), global)?;
        }
        Command::Purge { organisation, validate_only } => {
            let organisation = name("organisations/", &organisation);
            let report = client.purge_expired(&organisation, validate_only).await?;
            if global.json {
                json(&report)?;
            }
            tell(&purged(&report, validate_only), global.lang);
        }
        Command::Restrictions { organisation } => {
            let found = client.all_restrictions(&name("organisations/", &organisation)).await?;
            let header = [message!("Person"), message!("From"), message!("Until"), message!("Reason")];
            let row = |one: &v1::Restriction| {
                let times = [&one.restricted, &one.lifted];
                let [from, until] = times
                    .map(|record| time_shown(record.as_ref().and_then(|record| record.record_time.as_ref())));
                let reason = one.reason().as_str_name().trim_start_matches("RESTRICTION_REASON_");
                [one.profile.clone(), from, until, reason.to_lowercase().replace('_', "-")]
            };
            items(&found, &header, row, global.json, global.lang)?;
        }
        Command::Restrict { person, reason } => {
            let done = client.restrict_profile(&long_name(&person)?, reason.of_the_contract()).await?;
            if global.json {
                json(&done)?;
            }
            let told = message!(
                "restricted; enrolments withdrawn with it: {count}",
                count = done.withdrawn_enrolments
            );
            tell(&told, global.lang);
        }
        Command::Affected { organisation, from, until } => {
            let organisation = name("organisations/", &organisation);
            for person in client.all_affected(&organisation, from, until).await? {
                data(&person)?;
            }
        }
        Command::Record { organisation } => {
            let organisation = name("organisations/", &organisation);
            let told = client.processing_record(&organisation, global.lang.tag()).await?;
            if global.json { json(&told)? } else { data(told.text.trim_end())? }
        }
        Command::Notice { round, policy } => {
            let told = client.participant_notice(&name("rounds/", &round), policy, global.lang.tag()).await?;
            if global.json { json(&told)? } else { data(told.text.trim_end())? }
        }
        Command::Lift { person } => {
            let done = client.lift_restriction(&long_name(&person)?).await?;
            if global.json {
                json(&done)?;
            }
            let told = match done.restriction {
                Some(_) => message!(
                    "the restriction is lifted; `{command}` enrols her again",
                    command = "wim-match round enrol"
                ),
                None => message!("{person} was never restricted", person = &person),
            };
            tell(&told, global.lang);
        }
    }
    Ok(())
}

fn show(erasure: &v1::Erasure, global: &Global) -> Result<(), Failure> {
    if global.json {
        return Ok(json(erasure)?);
    }
    data(&erasure.name)?;
    tell(&told(erasure), global.lang);
    Ok(())
}

fn purged(report: &v1::PurgeReport, validate_only: bool) -> Message {
    let v1::PurgeReport { profiles, versions, profiles_left, .. } = *report;
    if report.idle_before_time.is_none() {
        return message!(
            "the organisation has set no time; `{command}` sets one",
            command = "wim-match organisation retention"
        );
    }
    if validate_only {
        return message!(
            "would be erased: {profiles|1 person|{profiles} people} with {versions|1 version|{versions} versions} of their profiles; nobody was erased (--validate-only)",
            profiles = profiles,
            versions = versions
        );
    }
    message!(
        "erased: {profiles|1 person|{profiles} people} with {versions|1 version|{versions} versions} of their profiles; left for the next purge: {left}",
        profiles = profiles,
        versions = versions,
        left = profiles_left
    )
}

fn told(erasure: &v1::Erasure) -> Message {
    if erasure.done {
        message!(
            "the person is erased; enrolments and matches that remain have the name {surrogate}",
            surrogate = &erasure.surrogate
        )
    } else {
        message!(
            "the erasure goes on; `{command}` shows its end",
            command = format!("wim-match privacy erasure {}", erasure.name)
        )
    }
}
