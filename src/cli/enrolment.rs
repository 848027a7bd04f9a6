//! `wim-match round enrol|enrolments|withdraw`: who takes part in a round.

use std::collections::BTreeSet;

use clap::Args;

use super::failure::Failure;
use super::global::Global;
use super::names::{found, long_name, name};
use crate::client::output::{data, json, say, tell, titled};
use crate::client::{Client, request_id, v1};
use crate::domain::message::Message;
use crate::profile_csv::column_of;
use crate::{message, wording};

/// Members of an organisation.
#[derive(Debug, Args)]
pub(super) struct Members {
    /// Id of the round.
    pub(super) round: String,
    /// Id of the organisation.
    #[arg(long, value_name = "ID")]
    pub(super) organisation: String,
    /// Ids of the members in the organisation.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(super) profiles: Vec<String>,
    /// All members of the organisation.
    #[arg(long)]
    pub(super) all: bool,
    /// Check the command, and change nothing.
    #[arg(long)]
    pub(super) validate_only: bool,
}

/// The resource names of members, given by their ids in the organisation.
fn names(members: &Members) -> Vec<String> {
    let profile = |id: &String| match id.split_once('/') {
        None => format!("{}/profiles/{id}", name("organisations/", &members.organisation)),
        Some(_) => long_name(id).unwrap_or_else(|_| id.clone()),
    };
    members.profiles.iter().map(profile).collect()
}

pub(super) async fn enrol(client: &mut Client, members: Members, global: &Global) -> Result<(), Failure> {
    let validate_only = members.validate_only;
    let request = v1::EnrolProfilesRequest {
        round: name("rounds/", &members.round),
        profiles: names(&members),
        all_profiles: members.all,
        all_waiting: false,
        organisation: name("organisations/", &members.organisation),
        request_id: if validate_only { String::new() } else { request_id() },
        validate_only,
    };
    let done = client.rounds.enrol_profiles(request).await;
    let done = found(client, &members.round, done).await?.into_inner();
    show_enrolment(&done, validate_only, global)
}

/// Withdraws members. The command names members and the service enrolments, so the enrolments are listed first.
pub(super) async fn withdraw(client: &mut Client, members: Members, global: &Global) -> Result<(), Failure> {
    let wanted: BTreeSet<String> = names(&members).into_iter().collect();
    let mut enrolments = Vec::new();
    if !members.all {
        let live = all_of(client, &members.round, Some(&members.organisation)).await?;
        let live: Vec<_> = live.into_iter().filter(|one| one.state() == v1::EnrolmentState::Live).collect();
        let enrolled: BTreeSet<&String> = live.iter().map(|one| &one.profile).collect();
        if let Some(absent) = wanted.iter().find(|profile| !enrolled.contains(profile)) {
            return Err(Failure::not_found(
                message!("{profile} is not enrolled in {round}", profile = absent, round = &members.round),
                message!(
                    "`{command}` lists who is",
                    command = format!("wim-match round enrolments {}", members.round)
                ),
            ));
        }
        enrolments =
            live.into_iter().filter(|one| wanted.contains(&one.profile)).map(|one| one.name).collect();
    }
    let request = v1::WithdrawEnrolmentsRequest {
        parent: name("rounds/", &members.round),
        organisation: name("organisations/", &members.organisation),
        enrolments,
        all_enrolments: members.all,
        request_id: if members.validate_only { String::new() } else { request_id() },
        validate_only: members.validate_only,
    };
    let done = client.rounds.withdraw_enrolments(request).await;
    let done = found(client, &members.round, done).await?.into_inner();
    if global.json {
        json(&done)?;
    }
    refuse_violations(&done.violations)?;
    let told = if members.validate_only {
        message!(
            "enrolments that can be withdrawn: {count}; none was withdrawn (--validate-only)",
            count = done.withdrawn
        )
    } else {
        message!("enrolments withdrawn now: {count}", count = done.withdrawn)
    };
    tell(&told, global.lang);
    Ok(())
}

/// Prints the enrolments of a round that the caller sees.
pub(super) async fn list(
    client: &Client,
    round: &str,
    organisation: Option<&str>,
    global: &Global,
) -> Result<(), Failure> {
    let enrolments = all_of(client, round, organisation).await?;
    if global.json {
        for enrolment in &enrolments {
            json(enrolment)?;
        }
        return Ok(());
    }
    let mut rows = titled(&[message!("Profile"), message!("State")], global.lang);
    for one in &enrolments {
        let state = match one.state() {
            v1::EnrolmentState::Withdrawn => message!("withdrawn"),
            _ => message!("enrolled"),
        };
        let profile = one.profile.replacen("organisations/", "", 1).replacen("/profiles/", "/", 1);
        rows.add_row([profile, wording::message(&state, global.lang)]);
    }
    Ok(data(&rows.to_string())?)
}

async fn all_of(
    client: &Client,
    round: &str,
    organisation: Option<&str>,
) -> Result<Vec<v1::Enrolment>, Failure> {
    let filter = v1::EnrolmentFilter {
        organisation: organisation.map(|id| name("organisations/", id)).unwrap_or_default(),
        ..v1::EnrolmentFilter::default()
    };
    Ok(client.all_enrolments(&name("rounds/", round), &filter).await?)
}

fn refuse_violations(violations: &[v1::FieldViolation]) -> Result<(), Failure> {
    let Some(first) = violations.first() else { return Ok(()) };
    let wrong = format!("{}: `{}` {}", first.field, first.value, first.description);
    Err(Failure::input(wrong, first.hint.clone()))
}

/// Prints the result of an enrolment, or of its check, and fails if the request of a check is wrong.
pub(super) fn show_enrolment(
    done: &v1::EnrolProfilesResponse,
    validate_only: bool,
    global: &Global,
) -> Result<(), Failure> {
    if global.json {
        json(done)?;
    } else {
        for refused in &done.refused {
            let told = message!(
                "{profile} was not enrolled: {reason}",
                profile = &refused.profile,
                reason = refusal(refused.reason())
            );
            data(&wording::message(&told, global.lang))?;
        }
    }
    show_warnings(&done.warnings, global);
    let listed = i64::try_from(done.warnings.len()).unwrap_or(i64::MAX);
    if done.warnings_count > listed {
        let more = message!(
            "{count|1 more warning is|{count} more warnings are} not listed",
            count = done.warnings_count - listed
        );
        tell(&more, global.lang);
    }
    refuse_violations(&done.violations)?;
    let (now, before) = (done.enrolled, done.already_enrolled);
    let told = if validate_only {
        message!(
            "profiles that can be enrolled: {now}; profiles that are enrolled already: {before}; nobody was enrolled (--validate-only)",
            now = now,
            before = before
        )
    } else {
        message!(
            "profiles enrolled now: {now}; profiles that were enrolled already: {before}",
            now = now,
            before = before
        )
    };
    tell(&told, global.lang);
    Ok(())
}

/// Prints warnings about profiles.
pub(super) fn show_warnings(warnings: &[v1::ProfileWarning], global: &Global) {
    for v1::ProfileWarning { profile, field, value, description, .. } in warnings {
        let column = column_of(field);
        say(&format!(
            "{profile}: {column}: {}: `{value}` {description}",
            wording::text("cli.warning", global.lang)
        ));
    }
}

/// Why a profile was not enrolled, and the columns of the CSV file to fill.
fn refusal(reason: v1::RefusedEnrolmentReason) -> Message {
    use v1::RefusedEnrolmentReason as Reason;
    match reason {
        Reason::NoLiveConsent => message!(
            "the profile has no live consent for matching; fill {columns}, and import the file again",
            columns = "consent_matching_version, consent_matching_language, consent_matching_time"
        ),
        Reason::NoRole => message!(
            "the profile has neither a mentor offer nor a mentee request; fill max_mentees or mentors_wanted, and import the file again"
        ),
        Reason::NotFound => {
            message!("the organisation has no profile with this id; check the id, or import the profile")
        }
        Reason::Restricted => message!(
            "the use of this person’s data is restricted; her organisation enrols her again after the restriction is lifted"
        ),
        Reason::Unspecified => message!("the service gives no reason"),
    }
}
