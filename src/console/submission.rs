//! The way of a run to its publication: one person submits it by its digest, others approve it, then it is published once.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, form, moment, page, text_area};
use super::round::{above, named, result, round_name};
use super::visit::Visit;
use crate::domain::record::Record;
use crate::domain::round::RoundState;
use crate::domain::run::{Run, RunState};
use crate::domain::submission::{Submission, SubmissionState};
use crate::error::Result;
use crate::service::PageRequest;
use crate::wording;

/// Submissions that the page lists.
const MOST: i32 = 20;

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let name = round.id.name();
    let request = PageRequest { size: MOST, token: String::new() };
    let listing = visit.service().list_submissions(visit.caller()?, &name, &request);
    let submissions = visit.read("ReviewService/ListSubmissions", listing).await?.items;
    let handles = visit.handles(people(&submissions)).await?;
    let proposal = match submissions.first() {
        Some(newest) if !is_over(newest) => Some(newest),
        _ => None,
    };
    let run = match proposal {
        Some(proposal) => Some(run_named(&visit, &proposal.run.name()).await?),
        None => newest_result(&visit, &name).await?,
    };
    let head = Head {
        title: visit.say("submission_title").to_owned(),
        above: above(&visit, &round),
        help: visit.say("submission_help").to_owned(),
    };
    let body = html! {
        @match (proposal, &run) {
            (Some(proposal), Some(run)) => {
                (card(&visit, proposal, &handles))
                (result(&visit, run))
                @if visit.is_coordinator() { (steps(&visit, proposal)) }
            }
            (None, Some(run)) if round.state == RoundState::Review && visit.is_coordinator() => {
                (result(&visit, run))
                (submit_form(&visit, run))
            }
            _ => { (empty(visit.say("submission_none"))) }
        }
        @if submissions.len() > usize::from(proposal.is_some()) {
            section {
                h2 { (visit.say("submission_earlier")) }
                @for earlier in submissions.iter().skip(usize::from(proposal.is_some())) { (card(&visit, earlier, &handles)) }
            }
        }
    };
    Ok(page(&visit, &head, &body))
}

/// Whether nothing can be done with a submission any more.
fn is_over(submission: &Submission) -> bool {
    use SubmissionState::{Rejected, Superseded, Unpublished};
    matches!(submission.state, Rejected | Unpublished | Superseded)
}

fn people(submissions: &[Submission]) -> BTreeSet<&str> {
    let mut people = BTreeSet::new();
    for one in submissions {
        people.extend(one.approvals.iter().map(|approval| approval.given.recorder.as_str()));
        let others = [Some(&one.made), one.published.as_ref(), one.end.as_ref().map(|(record, _)| record)];
        people.extend(others.into_iter().flatten().map(|record| record.recorder.as_str()));
    }
    people
}

async fn run_named(visit: &Visit, name: &str) -> Result<Run> {
    visit.read("RunService/GetRun", visit.service().get_run(visit.caller()?, name)).await
}

async fn newest_result(visit: &Visit, round: &str) -> Result<Option<Run>> {
    let request = PageRequest { size: MOST, token: String::new() };
    let listing = visit.service().list_runs(visit.caller()?, round, &request);
    let runs = visit.read("RunService/ListRuns", listing).await?.items;
    Ok(runs.into_iter().find(|run| run.state == RunState::Succeeded))
}

fn card(visit: &Visit, submission: &Submission, handles: &BTreeMap<String, String>) -> Markup {
    let handle = |id: &str| handles.get(id).map_or("–", String::as_str).to_owned();
    let record = |key: &str, record: &Record| {
        visit.fill(key, &[("handle", &handle(&record.recorder)), ("moment", &moment(visit, record.time))])
    };
    html! {
        section.panel {
            h2 { (visit.fill("submission_run", &[("number", &submission.run.number)])) " "
                span.state { (wording::submission_state_label(submission.state, visit.lang)) } }
            p { (record("submitted_by", &submission.made)) }
            @if !submission.comment.is_empty() { p { (submission.comment) } }
            @for approval in &submission.approvals {
                p { (record("approved_by", &approval.given)) }
                @if !approval.comment.is_empty() { p.aside { (approval.comment) } }
            }
            p { (visit.fill("approvals", &[("given", &submission.approvals.len()), ("required", &submission.required_approvals)])) }
            @if let Some(end) = submission.objection_end { p { (visit.fill("objection_end", &[("moment", &moment(visit, end))])) } }
            @if let Some(published) = &submission.published { p { (record("published_by", published)) } }
            @if let Some((ended, reason)) = &submission.end { p.note { (record("ended_by", ended)) " " (reason) } }
            p.aside { (visit.fill("digest", &[("digest", &submission.result_digest.get(..16).unwrap_or_default())])) }
        }
    }
}

fn submit_form(visit: &Visit, run: &Run) -> Markup {
    let number = run.name.number;
    form(
        visit,
        &format!("/{}/submit", round_name(visit)),
        &html! {
            input type="hidden" name="run" value=(run.name.name());
            input type="hidden" name="digest" value=(run.result_digest);
            (text_area(visit, "comment", visit.say("submit_comment"), false))
            button type="submit" { (visit.fill("submit", &[("number", &number)])) }
        },
    )
}

/// What can be done with a submission now. Whether she may do it, the use cases decide.
fn steps(visit: &Visit, submission: &Submission) -> Markup {
    let round = round_name(visit);
    let named = html! {
        input type="hidden" name="submission" value=(submission.name.name());
        input type="hidden" name="digest" value=(submission.result_digest);
    };
    let number = submission.run.number;
    let is_hers = visit.visitor.as_ref().is_some_and(|who| who.session.principal == submission.made.recorder);
    let reject = form(
        visit,
        &format!("/{round}/reject"),
        &html! {
            (named)
            (text_area(visit, "reason", visit.say("reject_reason"), true))
            button.quiet type="submit" { (visit.fill("reject", &[("number", &number)])) }
        },
    );
    html! {
        @match submission.state {
            SubmissionState::Submitted => {
                @if is_hers { p.note { (visit.say("approve_not_yours")) } } @else {
                    (form(visit, &format!("/{round}/approve"), &html! {
                        (named)
                        (text_area(visit, "comment", visit.say("approve_comment"), false))
                        button type="submit" { (visit.fill("approve", &[("number", &number)])) }
                    }))
                }
                (reject)
            }
            SubmissionState::Approved => {
                (form(visit, &format!("/{round}/publish"), &html! {
                    (named)
                    p { (visit.say("publish_help")) }
                    button type="submit" { (visit.fill("publish", &[("number", &number)])) }
                }))
                (reject)
            }
            SubmissionState::Published => {
                (form(visit, &format!("/{round}/unpublish"), &html! {
                    (named)
                    (text_area(visit, "reason", visit.say("unpublish_reason"), true))
                    button.quiet type="submit" { (visit.fill("unpublish", &[("number", &number)])) }
                }))
            }
            SubmissionState::Rejected | SubmissionState::Unpublished | SubmissionState::Superseded => {}
        }
    }
}

fn back(visit: &Visit) -> Answer {
    Answer::to(format!("/{}/submission", round_name(visit)))
}

/// Submits a run.
pub(super) async fn submit(visit: Visit) -> Result<Answer> {
    let named = (visit.form.get("run"), visit.form.get("digest"));
    visit.service().submit_run(visit.caller()?, named, visit.form.get("comment"), visit.change()).await?;
    Ok(back(&visit))
}

/// Approves a submission.
pub(super) async fn approve(visit: Visit) -> Result<Answer> {
    let named = (visit.form.get("submission"), visit.form.get("digest"));
    let comment = visit.form.get("comment");
    visit.service().approve_run(visit.caller()?, named, comment, visit.change()).await?;
    Ok(back(&visit))
}

/// Rejects a submission.
pub(super) async fn reject(visit: Visit) -> Result<Answer> {
    let (name, reason) = (visit.form.get("submission"), visit.form.get("reason"));
    visit.service().reject_run(visit.caller()?, name, reason, visit.change()).await?;
    Ok(back(&visit))
}

/// Publishes the approved run, once.
pub(super) async fn publish(visit: Visit) -> Result<Answer> {
    visit.service().publish_run(visit.caller()?, visit.form.get("submission"), visit.change()).await?;
    Ok(back(&visit))
}

/// Takes a publication back.
pub(super) async fn unpublish(visit: Visit) -> Result<Answer> {
    let (name, reason) = (visit.form.get("submission"), visit.form.get("reason"));
    visit.service().unpublish_run(visit.caller()?, name, reason, visit.change()).await?;
    Ok(back(&visit))
}
