//! Use cases of consultations.

use super::organisation::{parse_id, parse_organisation};
use super::page::Cursor;
use super::{
    Action, Change, Masked, Page, PageRequest, Service, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::consultation::{
    Consultation, ConsultationAnswer, ConsultationDraft, ConsultationPatch, ConsultationState, Grouping,
    NewConsultation, QuestionAnswerDraft, Tally,
};
use crate::domain::field_rule;
use crate::domain::membership::Membership;
use crate::domain::name::{ConsultationId, OrganisationId};
use crate::domain::record::Record;
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, ConsultationChange, NewAnswer, Receipt, Scope};

/// A consultation with what its reader may know of the answers.
#[derive(Debug)]
pub struct ReadConsultation {
    /// The consultation.
    pub consultation: Consultation,
    /// Who has answered.
    pub answered: Vec<OrganisationId>,
    /// The answers of the reader's own organisations.
    pub own: Vec<ConsultationAnswer>,
}

/// The result of a consultation as its reader may see it.
#[derive(Debug)]
pub struct ConsultationResult {
    /// The consultation.
    pub consultation: Consultation,
    /// How it is grouped for this reader.
    pub grouping: Grouping,
    /// The numbers.
    pub tally: Tally,
    /// The answers by organisation; none by region.
    pub answers: Vec<ConsultationAnswer>,
    /// Organisations that are members at the moment.
    pub members: u64,
}

impl Service {
    /// Opens a consultation, or checks whether it can be opened.
    pub async fn create_consultation(
        &self,
        caller: &Caller,
        id: &str,
        draft: &ConsultationDraft,
        how: Change<'_>,
    ) -> Result<Consultation> {
        let permit = Action::CreateConsultation.permit(caller)?;
        let now = self.clock.now();
        let mut violations = Violations::of_request();
        let id: Option<ConsultationId> = parse_id("consultation_id", id, &mut violations);
        let new = NewConsultation::parse(draft, now)
            .map_err(|part| violations.extend(part.within("consultation")))
            .ok();
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(new), true) = (id, new, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            return self.store.check_consultation(&permit.scope, &id, &new, now).await;
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &(&id, &new))?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (created, note) = session.create_consultation(&id, &new).await?;
                session.commit(note, &remembered(&created)?).await?;
                Ok(created)
            }
        }
    }

    /// Moves the deadline of a consultation, or checks whether it can be moved.
    pub async fn update_consultation(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        patch: Masked<ConsultationPatch>,
        how: Change<'_>,
    ) -> Result<Consultation> {
        let mut violations = Violations::of_request();
        let action = Action::UpdateConsultation;
        action.permit(caller)?;
        let change = patch.taken(&mut violations).map(ConsultationChange::Patch);
        self.change_consultation((caller, action), ("consultation.name", name, etag), change, violations, how)
            .await
    }

    /// Cancels a consultation, or checks whether it can be cancelled.
    pub async fn cancel_consultation(
        &self,
        caller: &Caller,
        name: &str,
        etag: &str,
        reason: &str,
        how: Change<'_>,
    ) -> Result<Consultation> {
        let action = Action::CancelConsultation;
        action.permit(caller)?;
        let mut violations = Violations::of_request();
        let rule = field_rule::CANCEL_CONSULTATION_REQUEST_REASON;
        let change = ConsultationChange::Cancel(rule.text("reason", reason, &mut violations));
        self.change_consultation((caller, action), ("name", name, etag), Some(change), violations, how).await
    }

    async fn change_consultation(
        &self,
        (caller, action): (&Caller, Action),
        (field, name, etag): (&str, &str, &str),
        change: Option<ConsultationChange>,
        mut violations: Violations,
        how: Change<'_>,
    ) -> Result<Consultation> {
        let permit = action.permit(caller)?;
        let id = taken(parse_consultation(field, name), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(change), true) = (id, change, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        if how.validate_only {
            let now = self.clock.now();
            return self.store.check_consultation_change(&permit.scope, &id, &change, etag, now).await;
        }
        let payload = (&id, etag, &change);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (changed, note) = session.change_consultation(&id, &change, etag).await?;
                commit_change(session, note, &remembered(&changed)?).await?;
                Ok(changed)
            }
        }
    }

    /// Gives or revises the answer of an organisation, or checks whether it can be given.
    pub async fn answer_consultation(
        &self,
        caller: &Caller,
        name: &str,
        organisation: &str,
        (answers, etag): (&[QuestionAnswerDraft], &str),
        how: Change<'_>,
    ) -> Result<ConsultationAnswer> {
        let permit = Action::AnswerConsultation.permit(caller)?;
        let mut violations = Violations::of_request();
        let id = taken(parse_consultation("name", name), &mut violations)?;
        let organisation = taken(parse_organisation("organisation", organisation), &mut violations)?;
        check_request_id(how.request_id, &mut violations);
        let (Some(id), Some(organisation), true) = (id, organisation, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let new = NewAnswer { organisation: &organisation, answers, etag };
        if how.validate_only {
            let given = Record { recorder: permit.principal.clone(), time: self.clock.now() };
            return self.store.check_answer(&permit.scope, &id, new, given).await;
        }
        let parts =
            |one: &QuestionAnswerDraft| (one.question.clone(), one.options.clone(), one.comment.clone());
        let payload = (&id, &organisation, answers.iter().map(parts).collect::<Vec<_>>(), etag);
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (answer, note) = session.answer_consultation(&id, new).await?;
                commit_change(session, note, &remembered(&answer)?).await?;
                Ok(answer)
            }
        }
    }

    /// One consultation. Its managers read the answers of their organisations with it, the office who has answered.
    pub async fn get_consultation(&self, caller: &Caller, name: &str) -> Result<ReadConsultation> {
        let permit = Action::GetConsultation.permit(caller)?;
        let id = parse_consultation("name", name)?;
        let consultation = self.store.consultation(&permit.scope, &id).await?.seen_at(self.clock.now());
        let mut answered = Vec::new();
        if let Ok(office) = Action::CreateConsultation.permit(caller) {
            let answers = self.store.consultation_answers(&office.scope, &id).await?;
            answered = answers.into_iter().map(|answer| answer.organisation).collect();
        }
        let mut own = Vec::new();
        if let Ok(manager) = Action::AnswerConsultation.permit(caller) {
            for organisation in manager.scope.organisations().into_iter().flatten() {
                own.extend(self.store.consultation_answer(&manager.scope, &id, organisation).await?);
            }
        }
        Ok(ReadConsultation { consultation, answered, own })
    }

    /// A page of consultations, by id.
    pub async fn list_consultations(
        &self,
        caller: &Caller,
        request: &PageRequest,
    ) -> Result<Page<Consultation>> {
        let permit = Action::ListConsultations.permit(caller)?;
        let cursor = Cursor::new(&permit, "consultations", request)?;
        let after = cursor.after.as_deref().and_then(|id| id.parse().ok());
        let found = self.store.list_consultations(&permit.scope, after.as_ref(), cursor.limit()).await?;
        let now = self.clock.now();
        let found = found.into_iter().map(|one| one.seen_at(now)).collect();
        Ok(cursor.page(found, |consultation| consultation.id.to_string()))
    }

    /// The result of a closed consultation. It does not exist for managers none of whose organisations is a member.
    pub async fn get_consultation_result(&self, caller: &Caller, name: &str) -> Result<ConsultationResult> {
        let permit = Action::GetConsultationResult.permit(caller)?;
        let id = parse_consultation("name", name)?;
        let consultation = self.store.consultation(&permit.scope, &id).await?.seen_at(self.clock.now());
        let is_office = Action::CreateConsultation.permit(caller).is_ok();
        let is_member = !is_office && self.manages_a_member(caller).await?;
        // The only other role of the whole alliance is that of the Steering Committee.
        let is_committee = permit.scope == Scope::Alliance && !is_office && !is_member;
        if !(is_office || is_member || is_committee) {
            return Err(Error::NotFound(id.name()));
        }
        if consultation.state != ConsultationState::Closed {
            return Err(Error::ConsultationState {
                consultation: id.name(),
                state: consultation.state.as_str(),
                required: ConsultationState::Closed.as_str(),
            });
        }
        let all = self.store.consultation_answers(&Scope::System, &id).await?;
        let members = self.store.count_members(&Scope::System).await?;
        let grouping = if is_committee { Grouping::Region } else { consultation.grouping };
        let content = &consultation.content;
        let (tally, answers) = match grouping {
            Grouping::Organisation => (Tally::by_organisation(content, &all), all),
            Grouping::Region if is_office => (Tally::by_region(content, &all), Vec::new()),
            Grouping::Region => (Tally::by_region(content, &all).without_comments(), Vec::new()),
        };
        Ok(ConsultationResult { consultation, grouping, tally, answers, members })
    }

    /// Whether the caller is a manager of an organisation that is a member now.
    async fn manages_a_member(&self, caller: &Caller) -> Result<bool> {
        let Ok(manager) = Action::AnswerConsultation.permit(caller) else { return Ok(false) };
        for id in manager.scope.organisations().into_iter().flatten() {
            let membership: Membership = self.store.organisation(&manager.scope, id).await?.membership;
            if membership.is_member() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes down which consultations have passed their deadlines, so that whoever follows the events hears of it, and returns their
    /// number.
    pub async fn close_consultations(&self) -> Result<u64> {
        let mut closed = 0;
        for id in self.store.due_consultations(&Scope::System, self.clock.now()).await? {
            let actor = "worker:housekeeping".to_owned();
            let receipt = Receipt { actor, scope: Scope::System, now: self.clock.now(), request: None };
            let Begun::Fresh(mut session) = self.store.begin(receipt).await? else { break };
            let note = session.close_consultation(&id).await?;
            closed += u64::from(note.is_some());
            commit_change(session, note, &[]).await?;
        }
        Ok(closed)
    }
}

/// Parses the resource name of a consultation.
fn parse_consultation(field: &str, name: &str) -> Result<ConsultationId> {
    ConsultationId::from_name(name).map_err(|error| Error::invalid_field(field, name, error.to_string()))
}
