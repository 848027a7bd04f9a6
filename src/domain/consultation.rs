//! Consultations: questions that the Alliance puts to its organisations, and what each of them answers.
//!
//! Nothing of a consultation changes but its deadline, which moves on only. A question that an organisation has left out counts for
//! no option.

mod parse;
mod tally;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::field_rule;
use super::name::{ChoiceId, ConsultationId, OrganisationId};
use super::policy::{Policy, PolicyDraft};
use super::violation::Violations;
use super::vocabulary::Region;
use crate::message;

pub use self::tally::{Counts, QuestionResult, Tally};

/// State of a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsultationState {
    /// Organisations answer.
    Open,
    /// The deadline has passed.
    Closed,
    /// It was cancelled before its deadline.
    Cancelled,
}

impl ConsultationState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Cancelled];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// How organisations read the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// The answer of each organisation.
    Organisation,
    /// Numbers by region.
    Region,
}

impl Grouping {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Region => "region",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Organisation, Self::Region].into_iter().find(|one| one.as_str() == name)
    }
}

/// Title and text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultationText {
    /// BCP 47 tag, in its one spelling once parsed.
    pub language: String,
    /// Title.
    pub title: String,
    /// Paragraphs of the text.
    pub paragraphs: Vec<String>,
}

/// A text of a question or an option in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceText {
    /// BCP 47 tag, in its one spelling once parsed.
    pub language: String,
    /// The text.
    pub text: String,
}

/// An option of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Id within the question.
    pub id: ChoiceId,
    /// The option, in each language of the consultation.
    pub texts: Vec<ChoiceText>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Id within the consultation.
    pub id: ChoiceId,
    /// Whether an organisation may choose several options.
    pub is_multiple: bool,
    /// The question, in each language of the consultation.
    pub texts: Vec<ChoiceText>,
    /// The options, in order.
    pub options: Vec<Choice>,
}

/// A draft on which the organisations are consulted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// A next policy.
    Policy(Box<Policy>),
    /// A next list of parameters, as JSON.
    Parameters(String),
}

/// What never changes of a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultationContent {
    /// Title and text, once for each language.
    pub texts: Vec<ConsultationText>,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// A draft on which the organisations are consulted.
    pub attachment: Option<Attachment>,
}

/// An option from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct ChoiceDraft {
    /// Id within the question.
    pub id: String,
    /// Texts.
    pub texts: Vec<ChoiceText>,
}

/// A question from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct QuestionDraft {
    /// Id within the consultation.
    pub id: String,
    /// Whether several options may be chosen; `None` for no kind.
    pub is_multiple: Option<bool>,
    /// Texts.
    pub texts: Vec<ChoiceText>,
    /// Options.
    pub options: Vec<ChoiceDraft>,
}

/// A draft on which organisations are to be consulted, not parsed yet.
#[derive(Debug, Clone)]
pub enum AttachmentDraft {
    /// A next policy.
    Policy(Box<PolicyDraft>),
    /// A next list of parameters, as JSON.
    Parameters(String),
}

/// A consultation from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct ConsultationDraft {
    /// Titles and texts.
    pub texts: Vec<ConsultationText>,
    /// Questions.
    pub questions: Vec<QuestionDraft>,
    /// The deadline.
    pub deadline: Option<Timestamp>,
    /// How organisations read the result.
    pub grouping: Option<Grouping>,
    /// A draft on which the organisations are consulted.
    pub attachment: Option<AttachmentDraft>,
}

/// A consultation to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewConsultation {
    /// What never changes.
    pub content: ConsultationContent,
    /// How organisations read the result.
    pub grouping: Grouping,
    /// The deadline.
    pub deadline: Timestamp,
}

/// A change of a consultation from outside: the fields that change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConsultationPatch {
    /// The new deadline; `Some(None)` for none, which is wrong.
    pub deadline: Option<Option<Timestamp>>,
}

/// A consultation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consultation {
    /// Id.
    pub id: ConsultationId,
    /// What never changes.
    pub content: ConsultationContent,
    /// How organisations read the result.
    pub grouping: Grouping,
    /// The deadline.
    pub deadline: Timestamp,
    /// The state as stored, see [`Self::state_at`].
    pub state: ConsultationState,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When it was opened.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

impl Consultation {
    /// The state at a moment: an open consultation is closed from its deadline on.
    pub fn state_at(&self, now: Timestamp) -> ConsultationState {
        match self.state {
            ConsultationState::Open if now >= self.deadline => ConsultationState::Closed,
            state => state,
        }
    }

    /// The deadline after a change. It moves on only: every organisation has the time that it was told.
    pub fn patched_deadline(&self, patch: &ConsultationPatch) -> Result<Timestamp, Violations> {
        let mut violations = Violations::of_request();
        match patch.deadline {
            None => return Ok(self.deadline),
            Some(Some(deadline)) if deadline >= self.deadline => return Ok(deadline),
            Some(None) => {
                violations.push("consultation.deadline", "", "is required", "use a moment in the future");
            }
            Some(Some(deadline)) => {
                let hint = "use a later moment, or cancel the consultation";
                violations.push("consultation.deadline", deadline, "is before the present deadline", hint);
            }
        }
        Err(violations)
    }

    /// The same with the state of a moment.
    #[must_use]
    pub fn seen_at(self, now: Timestamp) -> Self {
        Self { state: self.state_at(now), ..self }
    }
}

/// The answer to one question from outside, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionAnswerDraft {
    /// Id of the question.
    pub question: String,
    /// Ids of the chosen options.
    pub options: Vec<String>,
    /// What the organisation says besides.
    pub comment: String,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswer {
    /// Id of the question.
    pub question: ChoiceId,
    /// Ids of the chosen options, in the order of the options.
    pub options: Vec<ChoiceId>,
    /// What the organisation says besides; may be empty.
    pub comment: String,
}

/// The answer of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultationAnswer {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The region of its seat when it answered.
    pub region: Region,
    /// The answers, in the order of the questions.
    pub answers: Vec<QuestionAnswer>,
    /// Id of the principal who gave it in its present form.
    pub actor: String,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When the organisation first answered.
    pub create_time: Timestamp,
    /// When it last changed its answer.
    pub update_time: Timestamp,
}

impl ConsultationContent {
    /// Parses the answers of an organisation, or returns all violations.
    pub fn parse_answers(&self, drafts: &[QuestionAnswerDraft]) -> Result<Vec<QuestionAnswer>, Violations> {
        let mut violations = Violations::of_request();
        let most = field_rule::ANSWER_CONSULTATION_REQUEST_ANSWERS.max_items;
        if drafts.len() > most {
            let wrong = message!("have {count} entries", count = drafts.len());
            violations.push("answers", "", wrong, "answer each question once");
            return Err(violations);
        }
        if drafts.is_empty() {
            violations.push("answers", "", "answer no question", "answer one question at least");
        }
        let (mut answered, mut answers) = (BTreeSet::new(), Vec::new());
        for (at, draft) in drafts.iter().enumerate() {
            let field = format!("answers[{at}]");
            let place = self.questions.iter().position(|one| one.id.as_str() == draft.question);
            let Some(place) = place else {
                let hint = "use a question_id of the consultation";
                violations.push(
                    format!("{field}.question_id"),
                    &draft.question,
                    "is no question of it",
                    hint,
                );
                continue;
            };
            if !answered.insert(place) {
                let hint = "answer each question once";
                violations.push(format!("{field}.question_id"), &draft.question, "is answered twice", hint);
            }
            if let Some(answer) = self.questions[place].parse_answer(&field, draft, &mut violations) {
                answers.push((place, answer));
            }
        }
        answers.sort_by_key(|(place, _)| *place);
        violations.finish(answers.into_iter().map(|(_, answer)| answer).collect())
    }
}

impl Question {
    fn parse_answer(
        &self,
        field: &str,
        draft: &QuestionAnswerDraft,
        violations: &mut Violations,
    ) -> Option<QuestionAnswer> {
        let mut chosen = BTreeSet::new();
        for (at, id) in draft.options.iter().enumerate() {
            let field = format!("{field}.option_ids[{at}]");
            match self.options.iter().position(|one| one.id.as_str() == id) {
                None => {
                    violations.push(field, id, "is no option of the question", "use one of its option_ids");
                }
                Some(place) if !chosen.insert(place) => {
                    violations.push(field, id, "is chosen twice", "remove this entry");
                }
                Some(_) => {}
            }
        }
        let options = || format!("{field}.option_ids");
        if draft.options.is_empty() {
            let hint = "choose an option, or leave the question out";
            violations.push(options(), "", "are empty", hint);
        } else if draft.options.len() > 1 && !self.is_multiple {
            let hint = "choose one option";
            violations.push(
                options(),
                draft.options.join(", "),
                "are several, and the question asks for one",
                hint,
            );
        }
        let rule = field_rule::QUESTION_ANSWER_COMMENT;
        let comment = rule.text(&format!("{field}.comment"), &draft.comment, violations);
        let options = chosen.into_iter().map(|place| self.options[place].id.clone()).collect();
        violations.is_empty().then(|| QuestionAnswer { question: self.id.clone(), options, comment })
    }
}
