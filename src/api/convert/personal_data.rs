//! Everything that is stored of a person.

use super::outcome::{match_message, unmatched_message};
use super::{consent, enrolment, mentorship, profile, review, timestamp};
use crate::api::proto::v1;
use crate::domain::name::RoundId;
use crate::domain::personal_data::{PersonalData, ProfileVersion, RunUnmatched};
use crate::domain::review::Decision;
use crate::domain::vocabulary::Lang;

/// To the message.
pub fn message(data: &PersonalData, lang: Lang) -> v1::PersonalData {
    let PersonalData {
        name,
        versions,
        enrolments,
        matches,
        unmatched,
        decisions,
        comments,
        restrictions,
        waiting_leave,
        mentorships,
        check_ins,
    } = data;
    // What is overdue follows from the days; nothing of it is stored.
    let today = jiff::civil::Date::MIN;
    v1::PersonalData {
        name: name.name(),
        versions: versions.iter().map(version).collect(),
        enrolments: enrolments.iter().map(|one| enrolment::message(one, true)).collect(),
        matches: matches.iter().map(|one| match_message(&one.run, Some(&one.id), &one.pair, lang)).collect(),
        unmatched: unmatched.iter().map(|one| run_unmatched(one, lang)).collect(),
        decisions: decisions.iter().map(|(round, one)| decision(round, one)).collect(),
        comments: comments.iter().map(|(round, one)| review::comment(round, one)).collect(),
        restrictions: restrictions
            .iter()
            .map(|one| consent::restriction(&one.profile, &one.restriction))
            .collect(),
        waiting_leave_time: waiting_leave.map(timestamp),
        mentorships: mentorships.iter().map(|one| mentorship::message(one, today)).collect(),
        check_ins: check_ins
            .iter()
            .map(|(of, one)| v1::PersonalCheckIn {
                mentorship: of.name(),
                check_in: Some(mentorship::check_in(one)),
            })
            .collect(),
    }
}

/// A decision on her pair. What it cost is in numbers of the whole round, which are not hers.
fn decision(round: &RoundId, one: &Decision) -> v1::Decision {
    review::decision(round, &Decision { cost: None, release_cost: None, ..one.clone() })
}

fn version(version: &ProfileVersion) -> v1::ProfileVersion {
    let ProfileVersion { profile, recorder } = version;
    v1::ProfileVersion {
        version: profile.version,
        profile: Some(profile::message(profile)),
        recorder: format!("principals/{recorder}"),
        record_time: Some(timestamp(profile.update_time)),
    }
}

fn run_unmatched(one: &RunUnmatched, lang: Lang) -> v1::RunUnmatched {
    v1::RunUnmatched { run: one.run.name(), unmatched: Some(unmatched_message(&one.entry, lang)) }
}
