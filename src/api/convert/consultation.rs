//! Consultations, answers and results.

use jiff::Timestamp;

use super::{count, etag, moment, policy, timestamp};
use crate::api::proto::v1;
use crate::api::proto::v1::consultation::Draft;
use crate::domain::consultation::{
    Attachment, AttachmentDraft, ChoiceDraft, ChoiceText, Consultation, ConsultationAnswer,
    ConsultationDraft, ConsultationPatch, ConsultationState, ConsultationText, Counts, Grouping, Question,
    QuestionAnswer, QuestionAnswerDraft, QuestionDraft, QuestionResult,
};
use crate::domain::name::OrganisationId;
use crate::domain::vocabulary::Region;
use crate::service::{ConsultationResult, Masked, ReadConsultation};

/// From the message, unchecked. A moment outside the possible years counts as none.
pub fn draft(message: v1::Consultation) -> ConsultationDraft {
    let deadline = message.deadline.as_ref().and_then(moment);
    let grouping = match message.result_grouping() {
        v1::ResultGrouping::Unspecified => None,
        v1::ResultGrouping::ByOrganisation => Some(Grouping::Organisation),
        v1::ResultGrouping::ByRegion => Some(Grouping::Region),
    };
    ConsultationDraft {
        texts: message.texts.into_iter().map(text_draft).collect(),
        questions: message.questions.into_iter().map(question_draft).collect(),
        deadline,
        grouping,
        attachment: message.draft.map(|draft| match draft {
            Draft::NextPolicy(next) => AttachmentDraft::Policy(Box::new(policy::draft(next))),
            Draft::NextParameters(json) => AttachmentDraft::Parameters(json),
        }),
    }
}

fn text_draft(message: v1::ConsultationText) -> ConsultationText {
    let v1::ConsultationText { language_code, title, paragraphs } = message;
    ConsultationText { language: language_code, title, paragraphs }
}

fn labels_draft(messages: Vec<v1::ConsultationLabel>) -> Vec<ChoiceText> {
    let label = |one: v1::ConsultationLabel| ChoiceText { language: one.language_code, text: one.text };
    messages.into_iter().map(label).collect()
}

fn question_draft(message: v1::ConsultationQuestion) -> QuestionDraft {
    let is_multiple = match message.kind() {
        v1::QuestionKind::Unspecified => None,
        v1::QuestionKind::Single => Some(false),
        v1::QuestionKind::Multiple => Some(true),
    };
    let option =
        |one: v1::ConsultationOption| ChoiceDraft { id: one.option_id, texts: labels_draft(one.texts) };
    QuestionDraft {
        id: message.question_id,
        is_multiple,
        texts: labels_draft(message.texts),
        options: message.options.into_iter().map(option).collect(),
    }
}

/// The fields of a consultation that a mask names. A moment outside the possible years counts as one far away.
pub fn patch(message: &v1::Consultation, paths: &[String]) -> Masked<ConsultationPatch> {
    Masked::read(paths, &["deadline"], |patch: &mut ConsultationPatch, path| {
        let deadline = message.deadline.as_ref();
        let is_known = path == "deadline";
        if is_known {
            patch.deadline = Some(deadline.map(|at| moment(at).unwrap_or(Timestamp::MAX)));
        }
        is_known
    })
}

/// Answers from the messages, unchecked.
pub fn answers_draft(messages: Vec<v1::QuestionAnswer>) -> Vec<QuestionAnswerDraft> {
    let answer = |one: v1::QuestionAnswer| QuestionAnswerDraft {
        question: one.question_id,
        options: one.option_ids,
        comment: one.comment,
    };
    messages.into_iter().map(answer).collect()
}

fn labels(texts: &[ChoiceText]) -> Vec<v1::ConsultationLabel> {
    let label = |one: &ChoiceText| v1::ConsultationLabel {
        language_code: one.language.clone(),
        text: one.text.clone(),
    };
    texts.iter().map(label).collect()
}

fn question(question: &Question) -> v1::ConsultationQuestion {
    let kind = if question.is_multiple { v1::QuestionKind::Multiple } else { v1::QuestionKind::Single };
    let options = question
        .options
        .iter()
        .map(|one| v1::ConsultationOption { option_id: one.id.to_string(), texts: labels(&one.texts) });
    v1::ConsultationQuestion {
        question_id: question.id.to_string(),
        kind: kind.into(),
        texts: labels(&question.texts),
        options: options.collect(),
    }
}

fn grouping(grouping: Grouping) -> v1::ResultGrouping {
    match grouping {
        Grouping::Organisation => v1::ResultGrouping::ByOrganisation,
        Grouping::Region => v1::ResultGrouping::ByRegion,
    }
}

/// To the message, without what is known of its answers.
pub fn message(consultation: &Consultation) -> v1::Consultation {
    let content = &consultation.content;
    v1::Consultation {
        name: consultation.id.name(),
        texts: (content.texts.iter())
            .map(|one| v1::ConsultationText {
                language_code: one.language.clone(),
                title: one.title.clone(),
                paragraphs: one.paragraphs.clone(),
            })
            .collect(),
        questions: content.questions.iter().map(question).collect(),
        deadline: Some(timestamp(consultation.deadline)),
        result_grouping: grouping(consultation.grouping).into(),
        draft: content.attachment.as_ref().map(|one| match one {
            Attachment::Policy(next) => Draft::NextPolicy(policy::message(next)),
            Attachment::Parameters(json) => Draft::NextParameters(json.clone()),
        }),
        state: match consultation.state {
            ConsultationState::Open => v1::ConsultationState::Open,
            ConsultationState::Closed => v1::ConsultationState::Closed,
            ConsultationState::Cancelled => v1::ConsultationState::Cancelled,
        }
        .into(),
        cancel_reason: consultation.cancel_reason.clone().unwrap_or_default(),
        etag: etag(consultation.version),
        create_time: Some(timestamp(consultation.create_time)),
        update_time: Some(timestamp(consultation.update_time)),
        answered_organisations: Vec::new(),
        own_answers: Vec::new(),
    }
}

/// To the message, with what its reader may know of the answers.
pub fn read(read: &ReadConsultation) -> v1::Consultation {
    v1::Consultation {
        answered_organisations: read.answered.iter().map(OrganisationId::name).collect(),
        own_answers: read.own.iter().map(own_answer).collect(),
        ..message(&read.consultation)
    }
}

fn question_answer(answer: &QuestionAnswer) -> v1::QuestionAnswer {
    v1::QuestionAnswer {
        question_id: answer.question.to_string(),
        option_ids: answer.options.iter().map(ToString::to_string).collect(),
        comment: answer.comment.clone(),
    }
}

/// An answer as its own organisation reads it.
pub fn own_answer(answer: &ConsultationAnswer) -> v1::ConsultationAnswer {
    v1::ConsultationAnswer {
        principal: format!("principals/{}", answer.actor),
        etag: etag(answer.version),
        ..answer_message(answer)
    }
}

fn answer_message(answer: &ConsultationAnswer) -> v1::ConsultationAnswer {
    v1::ConsultationAnswer {
        organisation: answer.organisation.name(),
        answers: answer.answers.iter().map(question_answer).collect(),
        principal: String::new(),
        etag: String::new(),
        create_time: Some(timestamp(answer.create_time)),
        update_time: Some(timestamp(answer.update_time)),
    }
}

/// A result to the message.
pub fn result(result: &ConsultationResult) -> v1::ConsultationResult {
    let questions = &result.consultation.content.questions;
    v1::ConsultationResult {
        consultation: result.consultation.id.name(),
        result_grouping: grouping(result.grouping).into(),
        answered_count: number(result.tally.answered),
        member_count: count(result.members),
        questions: questions.iter().zip(&result.tally.questions).map(question_result).collect(),
        answers: result.answers.iter().map(answer_message).collect(),
    }
}

fn question_result((question, result): (&Question, &QuestionResult)) -> v1::QuestionResult {
    v1::QuestionResult {
        question_id: question.id.to_string(),
        total: Some(counts(question, &result.total)),
        regions: result.regions.iter().map(|one| counts(question, one)).collect(),
        comments: result.comments.clone(),
    }
}

fn counts(question: &Question, counts: &Counts) -> v1::QuestionCounts {
    let options = question.options.iter().zip(&counts.options).map(|(option, chosen)| v1::OptionCount {
        option_id: option.id.to_string(),
        organisation_count: number(*chosen),
    });
    v1::QuestionCounts {
        region: counts.region.map_or_else(String::new, |region: Region| region.code().to_owned()),
        organisation_count: number(counts.organisations),
        unanswered_count: number(counts.unanswered),
        options: options.collect(),
    }
}

fn number(organisations: usize) -> i64 {
    i64::try_from(organisations).unwrap_or(i64::MAX)
}
