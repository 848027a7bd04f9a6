//! Use cases on the way of a run to its publication.

use super::page::Cursor;
use super::round::parse_round;
use super::run::parse_run;
use super::{
    Action, Change, Page, PageRequest, Permit, Service, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::field_rule::{self, FieldRule};
use crate::domain::name::SubmissionRef;
use crate::domain::submission::Submission;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, Step, SubmissionEnd};

impl Service {
    /// Proposes a run for publication, or checks whether it can be.
    pub async fn submit_run(
        &self,
        caller: &Caller,
        (name, digest): (&str, &str),
        comment: &str,
        how: Change<'_>,
    ) -> Result<Submission> {
        let permit = Action::SubmitRun.permit(caller)?;
        let text = Some((field_rule::SUBMIT_RUN_REQUEST_COMMENT, "comment", comment));
        let (run, comment) = parsed(parse_run("name", name), text, how)?;
        self.step(&permit, &Step::Submit { run: &run, digest, comment: &comment }, how).await
    }

    /// Approves a submission, or checks whether the caller can.
    pub async fn approve_run(
        &self,
        caller: &Caller,
        (name, digest): (&str, &str),
        comment: &str,
        how: Change<'_>,
    ) -> Result<Submission> {
        let permit = Action::ApproveRun.permit(caller)?;
        let text = Some((field_rule::APPROVE_RUN_REQUEST_COMMENT, "comment", comment));
        let (name, comment) = parsed(parse_submission(name), text, how)?;
        self.step(&permit, &Step::Approve { name: &name, digest, comment: &comment }, how).await
    }

    /// Rejects a submission, or checks whether it can be rejected.
    pub async fn reject_run(
        &self,
        caller: &Caller,
        name: &str,
        reason: &str,
        how: Change<'_>,
    ) -> Result<Submission> {
        let permit = Action::RejectRun.permit(caller)?;
        let text = Some((field_rule::REJECT_RUN_REQUEST_REASON, "reason", reason));
        let (name, reason) = parsed(parse_submission(name), text, how)?;
        self.step(&permit, &Step::End(&name, SubmissionEnd::Reject, &reason), how).await
    }

    /// Publishes the run of a submission, or checks whether it can be published.
    pub async fn publish_run(&self, caller: &Caller, name: &str, how: Change<'_>) -> Result<Submission> {
        let permit = Action::PublishRun.permit(caller)?;
        let (name, _) = parsed(parse_submission(name), None, how)?;
        self.step(&permit, &Step::Publish(&name), how).await
    }

    /// Takes a publication back, or checks whether it can be taken back.
    pub async fn unpublish_run(
        &self,
        caller: &Caller,
        name: &str,
        reason: &str,
        how: Change<'_>,
    ) -> Result<Submission> {
        let permit = Action::UnpublishRun.permit(caller)?;
        let text = Some((field_rule::UNPUBLISH_RUN_REQUEST_REASON, "reason", reason));
        let (name, reason) = parsed(parse_submission(name), text, how)?;
        self.step(&permit, &Step::End(&name, SubmissionEnd::Unpublish, &reason), how).await
    }

    /// One submission.
    pub async fn get_submission(&self, caller: &Caller, name: &str) -> Result<Submission> {
        let permit = Action::GetSubmission.permit(caller)?;
        self.store.submission(&permit.scope, &parse_submission(name)?).await
    }

    /// A page of a round's submissions, the newest first.
    pub async fn list_submissions(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<Page<Submission>> {
        let permit = Action::ListSubmissions.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/submissions"), request)?;
        let before = cursor.after.as_deref().and_then(|number| number.parse().ok());
        let found = self.store.list_submissions(&permit.scope, &round, before, cursor.limit()).await?;
        Ok(cursor.page(found, |submission| submission.name.number.to_string()))
    }

    async fn step(&self, permit: &Permit, step: &Step<'_>, how: Change<'_>) -> Result<Submission> {
        if how.validate_only {
            return self.store.check_step(&permit.scope, step, self.record(permit)).await;
        }
        let receipt = self.receipt(permit, how.request_id, &format!("{step:?}"))?;
        match self.store.begin(receipt).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (submission, note) = session.step(step).await?;
                commit_change(session, note, &remembered(&submission)?).await?;
                Ok(submission)
            }
        }
    }
}

fn parse_submission(name: &str) -> Result<SubmissionRef> {
    SubmissionRef::from_name(name).map_err(|error| Error::invalid_field("name", name, error.to_string()))
}

/// The parsed name and the text of a request, or all that is wrong with it.
fn parsed<T>(
    name: Result<T>,
    text: Option<(FieldRule, &'static str, &str)>,
    how: Change<'_>,
) -> Result<(T, String)> {
    let mut violations = Violations::of_request();
    let name = taken(name, &mut violations)?;
    let text = text.map(|(rule, field, text)| rule.text(field, text, &mut violations)).unwrap_or_default();
    check_request_id(how.request_id, &mut violations);
    match name {
        Some(name) => violations.finish((name, text)).map_err(Error::InvalidFields),
        None => Err(Error::InvalidFields(violations)),
    }
}
