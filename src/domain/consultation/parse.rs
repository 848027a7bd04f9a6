//! Parsing of consultations from outside: all violations at once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Attachment, AttachmentDraft, Choice, ChoiceDraft, ChoiceText, ConsultationContent, ConsultationDraft,
    ConsultationText, NewConsultation, Question, QuestionDraft,
};
use crate::domain::field_rule;
use crate::domain::folding::stored;
use crate::domain::language;
use crate::domain::name::ChoiceId;
use crate::domain::policy::Policy;
use crate::domain::violation::Violations;
use crate::message;

/// Most characters of a paragraph.
const MAX_PARAGRAPH: usize = 2_000;
/// Most bytes of a whole consultation as it is stored, so that every answer that contains it can be sent.
const MAX_BYTES: usize = 500_000;

impl NewConsultation {
    /// Parses a draft at `now`, or returns all violations.
    pub fn parse(draft: &ConsultationDraft, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        let texts = parse_texts(&draft.texts, &mut violations);
        let languages: Vec<&str> = texts.iter().map(|text| text.language.as_str()).collect();
        let questions = parse_questions(&draft.questions, &languages, &mut violations);
        let attachment = draft.attachment.as_ref().and_then(|one| parse_attachment(one, &mut violations));
        let deadline = parse_deadline(draft.deadline, now, &mut violations);
        if draft.grouping.is_none() {
            let hint = "use RESULT_GROUPING_BY_ORGANISATION or RESULT_GROUPING_BY_REGION";
            violations.push("result_grouping", "", "is required", hint);
        }
        let content = ConsultationContent { texts, questions, attachment };
        let bytes = serde_json::to_vec(&content).map_or(usize::MAX, |document| document.len());
        if violations.is_empty() && bytes > MAX_BYTES {
            let wrong = message!("are larger than {most} bytes together", most = MAX_BYTES);
            violations.push("texts", "", wrong, "shorten the texts of the questions");
        }
        match (deadline, draft.grouping) {
            (Some(deadline), Some(grouping)) => violations.finish(Self { content, grouping, deadline }),
            _ => Err(violations),
        }
    }
}

/// A deadline that is in the future.
fn parse_deadline(
    deadline: Option<Timestamp>,
    now: Timestamp,
    violations: &mut Violations,
) -> Option<Timestamp> {
    match deadline {
        None => violations.push("deadline", "", "is required", "use a moment in the future"),
        Some(deadline) if deadline <= now => {
            violations.push("deadline", deadline, "is not in the future", "use a later moment");
        }
        Some(deadline) => return Some(deadline),
    }
    None
}

fn parse_language(field: String, tag: &str, violations: &mut Violations) -> Option<String> {
    let parsed = language::normalise(tag);
    if parsed.is_none() {
        violations.push(field, tag, "is not a language tag", "use a BCP 47 tag, for example es or pt-BR");
    }
    parsed
}

fn count(field: &str, items: usize, rule: &field_rule::FieldRule, violations: &mut Violations) {
    if (rule.min_items..=rule.max_items).contains(&items) {
        return;
    }
    let (least, most) = (rule.min_items, rule.max_items);
    let wrong = message!("have {count} entries", count = items);
    violations.push(field, "", wrong, message!("use {least} to {most} entries", least = least, most = most));
}

fn parse_texts(drafts: &[ConsultationText], violations: &mut Violations) -> Vec<ConsultationText> {
    count("texts", drafts.len(), &field_rule::CONSULTATION_TEXTS, violations);
    let (mut seen, mut texts) = (BTreeSet::new(), Vec::new());
    for (at, draft) in drafts.iter().enumerate() {
        let field = format!("texts[{at}]");
        let tag = format!("{field}.language_code");
        let language = parse_language(tag.clone(), &draft.language, violations);
        let title =
            field_rule::CONSULTATION_TEXT_TITLE.text(&format!("{field}.title"), &draft.title, violations);
        let several = format!("{field}.paragraphs");
        count(&several, draft.paragraphs.len(), &field_rule::CONSULTATION_TEXT_PARAGRAPHS, violations);
        let rule = field_rule::FieldRule {
            min_characters: 1,
            max_characters: MAX_PARAGRAPH,
            ..field_rule::CONSULTATION_TEXT_TITLE
        };
        let paragraphs = (draft.paragraphs.iter().enumerate())
            .map(|(at, text)| rule.text(&format!("{several}[{at}]"), text, violations))
            .collect();
        let Some(language) = language else { continue };
        if !seen.insert(language.clone()) {
            violations.push(tag, &language, "stands there twice", "give one text for each language");
        }
        texts.push(ConsultationText { language, title, paragraphs });
    }
    texts
}

fn parse_questions(
    drafts: &[QuestionDraft],
    languages: &[&str],
    violations: &mut Violations,
) -> Vec<Question> {
    count("questions", drafts.len(), &field_rule::CONSULTATION_QUESTIONS, violations);
    let (mut seen, mut questions) = (BTreeSet::new(), Vec::new());
    for (at, draft) in drafts.iter().enumerate() {
        let field = format!("questions[{at}]");
        let id = parse_choice_id(&format!("{field}.question_id"), &draft.id, &mut seen, violations);
        if draft.is_multiple.is_none() {
            let hint = "use QUESTION_KIND_SINGLE or QUESTION_KIND_MULTIPLE";
            violations.push(format!("{field}.kind"), "", "is required", hint);
        }
        let texts = parse_labels(&format!("{field}.texts"), &draft.texts, languages, violations);
        let options = parse_options(&field, &draft.options, languages, violations);
        if let (Some(id), Some(is_multiple)) = (id, draft.is_multiple) {
            questions.push(Question { id, is_multiple, texts, options });
        }
    }
    questions
}

fn parse_options(
    field: &str,
    drafts: &[ChoiceDraft],
    languages: &[&str],
    violations: &mut Violations,
) -> Vec<Choice> {
    let field = format!("{field}.options");
    count(&field, drafts.len(), &field_rule::CONSULTATION_QUESTION_OPTIONS, violations);
    let (mut seen, mut options) = (BTreeSet::new(), Vec::new());
    for (at, draft) in drafts.iter().enumerate() {
        let id = parse_choice_id(&format!("{field}[{at}].option_id"), &draft.id, &mut seen, violations);
        let texts = parse_labels(&format!("{field}[{at}].texts"), &draft.texts, languages, violations);
        options.extend(id.map(|id| Choice { id, texts }));
    }
    options
}

fn parse_choice_id(
    field: &str,
    id: &str,
    seen: &mut BTreeSet<String>,
    violations: &mut Violations,
) -> Option<ChoiceId> {
    match id.parse::<ChoiceId>() {
        Err(error) => violations.push(field, id, error.to_string(), ""),
        Ok(_) if !seen.insert(id.to_owned()) => {
            violations.push(field, id, "stands there twice", "give each its own id");
        }
        Ok(id) => return Some(id),
    }
    None
}

/// The texts of a question or an option: one in each language of the consultation, in their order.
fn parse_labels(
    field: &str,
    drafts: &[ChoiceText],
    languages: &[&str],
    violations: &mut Violations,
) -> Vec<ChoiceText> {
    let mut texts: Vec<ChoiceText> = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let tag = format!("{field}[{at}].language_code");
        let Some(language) = parse_language(tag.clone(), &draft.language, violations) else { continue };
        let rule = field_rule::CONSULTATION_LABEL_TEXT;
        let text = rule.text(&format!("{field}[{at}].text"), &draft.text, violations);
        if texts.iter().any(|other| other.language == language) {
            violations.push(tag, &language, "stands there twice", "give one text for each language");
        } else if languages.contains(&language.as_str()) {
            texts.push(ChoiceText { language, text });
        } else {
            let hint = "add it to the texts of the consultation, or remove this one";
            violations.push(tag, &language, "is no language of the consultation", hint);
        }
    }
    let missing: Vec<&str> =
        languages.iter().copied().filter(|tag| texts.iter().all(|text| text.language != *tag)).collect();
    if !missing.is_empty() {
        let wrong = message!("have no text in: {languages}", languages = missing.join(", "));
        violations.push(field, "", wrong, "add it");
    }
    texts
}

fn parse_attachment(draft: &AttachmentDraft, violations: &mut Violations) -> Option<Attachment> {
    match draft {
        AttachmentDraft::Policy(policy) => match Policy::parse(policy) {
            Ok(policy) => return Some(Attachment::Policy(Box::new(policy))),
            Err(wrong) => violations.extend(wrong.within("next_policy")),
        },
        AttachmentDraft::Parameters(json) => {
            let most = field_rule::CONSULTATION_NEXT_PARAMETERS.max_characters;
            if json.chars().count() > most {
                let wrong = message!("has more than {most} characters", most = most);
                violations.push("next_parameters", "", wrong, "shorten the text");
            } else if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(json) {
                let wrong = message!("is not JSON: {cause}", cause = error.to_string());
                violations.push("next_parameters", "", wrong, "correct the text");
            } else {
                return Some(Attachment::Parameters(stored(json).into_owned()));
            }
        }
    }
    None
}
