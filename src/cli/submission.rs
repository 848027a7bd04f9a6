//! `wim-match round submit|approve|reject|publish|unpublish|repair|submissions`: the way of a run to its publication.

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::names::{find, name};
use crate::client::output::{data, items, json, tell};
use crate::client::progress::watch_with_bar;
use crate::client::{Client, request_id, success, time_shown, v1};
use crate::domain::submission::SubmissionState;
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Propose a run for publication; other people approve it.
    Submit {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        run: Option<i64>,
        /// What the approvers should know.
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Approve the newest submission of a round. Whoever submitted it cannot.
    Approve {
        /// Id of the round.
        round: String,
        /// What you say to it.
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Reject the newest submission of a round.
    Reject {
        /// Id of the round.
        round: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Publish the approved run of a round.
    Publish {
        /// Id of the round.
        round: String,
    },
    /// Take the publication of a round back.
    Unpublish {
        /// Id of the round.
        round: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Repair the published run of a round, after people have left or joined: as many people as possible, then the fewest changes.
    /// The repair is submitted, approved and published like every run.
    Repair {
        /// Id of the round.
        round: String,
        /// Most pairs that the repair may change. If more changes are needed, the run fails and says how many.
        #[arg(long, value_name = "CHANGES")]
        most_changes: Option<i32>,
    },
    /// List the submissions of a round, the newest first.
    Submissions {
        /// Id of the round.
        round: String,
    },
}

pub(super) async fn run(command: Command, client: &mut Client, global: &Global) -> Result<(), Failure> {
    let done = match command {
        Command::Submit { round, run, comment } => {
            let v1::Run { name, result_digest, .. } = find(client, &round, run).await?;
            let request = v1::SubmitRunRequest {
                name,
                result_digest,
                comment,
                request_id: request_id(),
                validate_only: false,
            };
            client.reviews.submit_run(request).await?.into_inner().submission
        }
        Command::Approve { round, comment } => {
            let v1::Submission { name, result_digest, .. } = proposed(client, &round).await?;
            let request = v1::ApproveRunRequest {
                name,
                result_digest,
                comment,
                request_id: request_id(),
                validate_only: false,
            };
            client.reviews.approve_run(request).await?.into_inner().submission
        }
        Command::Reject { round, reason } => {
            let name = proposed(client, &round).await?.name;
            let request =
                v1::RejectRunRequest { name, reason, request_id: request_id(), validate_only: false };
            client.reviews.reject_run(request).await?.into_inner().submission
        }
        Command::Publish { round } => {
            let name = proposed(client, &round).await?.name;
            let request = v1::PublishRunRequest { name, request_id: request_id(), validate_only: false };
            client.reviews.publish_run(request).await?.into_inner().submission
        }
        Command::Unpublish { round, reason } => {
            let name = published(client, &round).await?.name;
            let request =
                v1::UnpublishRunRequest { name, reason, request_id: request_id(), validate_only: false };
            client.reviews.unpublish_run(request).await?.into_inner().submission
        }
        Command::Repair { round, most_changes } => return repair(client, &round, most_changes, global).await,
        Command::Submissions { round } => {
            let all = client.all_submissions(&name("rounds/", &round)).await?;
            let header = [
                message!("Submission"),
                message!("Run"),
                message!("State"),
                message!("Approvals"),
                message!("Author"),
                message!("Time"),
            ];
            let row = |one: &v1::Submission| {
                [
                    one.name.clone(),
                    one.run.clone(),
                    state(one, global.lang),
                    format!("{}/{}", one.approvals.len(), one.required_approvals),
                    one.author.clone(),
                    time_shown(one.create_time.as_ref()),
                ]
            };
            return Ok(items(&all, &header, row, global.json, global.lang)?);
        }
    };
    let submission = done.unwrap_or_default();
    if global.json {
        json(&submission)?;
    } else {
        data(&wording::labelled(&submission.name, &state(&submission, global.lang), global.lang))?;
    }
    Ok(())
}

async fn repair(
    client: &mut Client,
    round: &str,
    most_changes: Option<i32>,
    global: &Global,
) -> Result<(), Failure> {
    let published = published(client, round).await?;
    let request = v1::StartRunRequest {
        round: name("rounds/", round),
        follows: published.run,
        repair: true,
        most_changes,
        request_id: request_id(),
        ..v1::StartRunRequest::default()
    };
    let run = client.runs.start_run(request).await?.into_inner().run.unwrap_or_default();
    let run = watch_with_bar(client, &run.name, global.lang).await?;
    if global.json {
        json(&run)?;
    } else {
        data(&run.name)?;
    }
    success(&run)?;
    let followed = run.summary.as_ref().and_then(|summary| summary.followed).unwrap_or_default();
    let told = message!(
        "{kept} published pairs stay, {changed|none changes|1 changes|{changed} change}; next: `{command}`",
        kept = followed.kept,
        changed = followed.changed,
        command = format!("wim-match round submit {}", round.trim_start_matches("rounds/"))
    );
    tell(&told, global.lang);
    Ok(())
}

fn state(submission: &v1::Submission, lang: Lang) -> String {
    let name = submission.state().as_str_name().trim_start_matches("SUBMISSION_STATE_").to_lowercase();
    let label = SubmissionState::from_name(&name).map(|state| wording::submission_state_label(state, lang));
    label.map_or(name, str::to_owned)
}

/// The submission of a round that is published.
async fn published(client: &Client, round: &str) -> Result<v1::Submission, Failure> {
    let all = client.all_submissions(&name("rounds/", round)).await?;
    all.into_iter().find(|one| one.state() == v1::SubmissionState::Published).ok_or_else(|| {
        Failure::not_found(
            message!("nothing is published in {round}", round = round),
            message!(
                "`{command}` publishes its approved run",
                command = format!("wim-match round publish {round}")
            ),
        )
    })
}

/// The submission of a round that is submitted or approved, or else the newest one.
async fn proposed(client: &Client, round: &str) -> Result<v1::Submission, Failure> {
    let all = client.all_submissions(&name("rounds/", round)).await?;
    let is_open = |one: &&v1::Submission| {
        [v1::SubmissionState::Submitted, v1::SubmissionState::Approved].contains(&one.state())
    };
    all.iter().find(is_open).or(all.first()).cloned().ok_or_else(|| {
        Failure::not_found(
            message!("nothing was submitted in {round} yet", round = round),
            message!(
                "`{command}` submits its newest run",
                command = format!("wim-match round submit {round}")
            ),
        )
    })
}
