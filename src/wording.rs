//! Renders reasons, criteria, rules and states in the languages of the program. They are codes everywhere else.
//!
//! The texts are in `data/wording/`, three files per language. The labels of codes are in the vocabularies.

mod catalogue;
mod format;
mod locale;
mod markdown;
mod messages;
mod notice;
mod processing;

use std::fmt::Debug;

use self::catalogue::{NO_VALUE, fill_with};
pub use self::catalogue::{fill, text};
pub use self::format::{count, day, decimal, list, moment, percent, score};
pub use self::messages::message;
pub use self::notice::notice;
pub use self::processing::processing_record;

use crate::domain::consultation::ConsultationState;
use crate::domain::equity::{Dimension, EquityWarning};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::language;
use crate::domain::language::LanguageLevel;
use crate::domain::policy::{Criterion, HardRule};
use crate::domain::profile::{ConsentPurpose, ConsentState};
use crate::domain::review::{Attention, CommentKind, DecisionKind};
use crate::domain::round::RoundState;
use crate::domain::run;
use crate::domain::run::{RunState, Side, StaleCause, UnmatchedReason};
use crate::domain::submission::SubmissionState;
use crate::domain::suppression::PeopleCount;
use crate::domain::template::Value;
use crate::domain::vocabulary::{
    Commodity, Country, Function, Goal, Kind, Lang, Region, Stage, Topic, Vocabulary, WorkingStyle,
};
use crate::domain::warning::Warning;

/// A reason as the inside of a sentence, without a capital letter and a full stop.
pub fn render(reason: &Reason, lang: Lang) -> String {
    fill_with(&format!("reason.{}", reason.code.as_str()), lang, &|name| match reason.parameters.get(name) {
        Some(value) => Value {
            raw: comparable(name, value).to_owned(),
            words: value_in_words(reason.code, name, value, lang),
        },
        None => Value::same(NO_VALUE.to_owned()),
    })
}

/// A reason as a whole sentence.
pub fn sentence(reason: &Reason, lang: Lang) -> String {
    let mut words = capitalised(&render(reason, lang));
    words.push('.');
    words
}

/// A label with its value: `label: value`.
pub fn labelled(label: &str, value: &str, lang: Lang) -> String {
    format!("{label}{}{value}", lang.conventions().colon)
}

/// Name of a criterion, for headings; `None` stands for the private criteria together.
pub fn criterion_label(criterion: Option<Criterion>, lang: Lang) -> &'static str {
    text(&format!("criterion.{}", criterion.map_or("private", Criterion::as_str)), lang)
}

/// Name of a hard rule, for headings: what the rule demands.
fn rule_label(rule: HardRule, lang: Lang) -> &'static str {
    text(&format!("rule.{}", rule.as_str()), lang)
}

/// What a hard rule finds in the pairs that it excludes, for headings: `No common language`.
pub fn exclusion_label(rule: HardRule, lang: Lang) -> &'static str {
    text(&format!("exclusion.{}", rule.as_str()), lang)
}

/// Name of an unmatched reason, for headings.
pub fn unmatched_label(reason: UnmatchedReason, lang: Lang) -> &'static str {
    label("unmatched_reason", reason, lang)
}

/// A number of people, as far as its reader may see the number.
pub fn people(people: PeopleCount, lang: Lang) -> String {
    match people {
        PeopleCount::Exact(exact) => count(u64::from(exact), lang),
        PeopleCount::Banded(band) => text(&format!("band.{}", band.as_str()), lang).to_owned(),
    }
}

/// Name of a step of a run.
pub fn stage_label(stage: run::Stage, lang: Lang) -> &'static str {
    label("stage", stage, lang)
}

/// Name of a run's state.
pub fn run_state_label(state: RunState, lang: Lang) -> &'static str {
    label("run_state", state, lang)
}

/// Name of a round's state.
pub fn round_state_label(state: RoundState, lang: Lang) -> &'static str {
    label("round_state", state, lang)
}

/// Name of a purpose of consents.
pub fn consent_purpose_label(purpose: ConsentPurpose, lang: Lang) -> &'static str {
    label("consent_purpose", purpose, lang)
}

/// Name of a consent's state.
pub fn consent_state_label(state: ConsentState, lang: Lang) -> &'static str {
    label("consent_state", state, lang)
}

/// What has made a result stale.
pub fn stale_cause_label(cause: StaleCause, lang: Lang) -> &'static str {
    label("stale_cause", cause, lang)
}

/// Name of a submission's state.
pub fn submission_state_label(state: SubmissionState, lang: Lang) -> &'static str {
    label("submission_state", state, lang)
}

/// Name of a consultation's state.
pub fn consultation_state_label(state: ConsultationState, lang: Lang) -> &'static str {
    label("consultation_state", state, lang)
}

/// Name of a group of the equity watch: of a region, a language, a career stage or an organisation.
pub fn equity_group(warning: &EquityWarning, lang: Lang) -> String {
    let key = warning.key.as_str();
    match warning.dimension {
        Dimension::Region => Region::from_code(key).map_or(key, |region| region.label(lang)).to_owned(),
        Dimension::Language => language::label(key, lang).to_owned(),
        Dimension::Stage => {
            let at = key.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let term = at.and_then(|at| Stage::vocabulary().terms().get(at));
            term.map_or(key, |term| term.label(lang)).to_owned()
        }
        Dimension::Organisation => key.to_owned(),
    }
}

/// Name of a kind of decision.
pub fn decision_label(kind: DecisionKind, lang: Lang) -> &'static str {
    label("decision", kind, lang)
}

/// Why a match should be looked at.
pub fn attention_label(cause: Attention, lang: Lang) -> &'static str {
    label("attention", cause, lang)
}

/// Name of a kind of comment.
pub fn comment_label(kind: CommentKind, lang: Lang) -> &'static str {
    label("comment", kind, lang)
}

/// Name of a side of a match.
pub fn side_label(side: Side, lang: Lang) -> &'static str {
    label("side", side, lang)
}

/// Name of a language level: `A1` to `C2` everywhere, and the word for native.
pub fn level_label(level: LanguageLevel, lang: Lang) -> &'static str {
    match level {
        LanguageLevel::Native => text("level.native", lang),
        level => level.as_str(),
    }
}

/// What a warning points out: a predicate whose subject is the value.
pub fn warning(warning: &Warning, lang: Lang) -> String {
    fill(&format!("warning.{}", warning.code.as_str()), lang, &[("other", &warning.other)])
}

/// A text with a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The label of a value whose name in the code is its key in the files.
fn label(table: &str, value: impl Debug, lang: Lang) -> &'static str {
    text(&format!("{table}.{}", snake_case(&format!("{value:?}"))), lang)
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (i, c) in name.char_indices() {
        if c.is_ascii_uppercase() && i > 0 && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The value of a reason's parameter in words: the label of a code, the grouped digits of a count.
fn value_in_words(code: ReasonCode, name: &str, value: &str, lang: Lang) -> String {
    let one = |found: Option<&'static str>| found.map_or_else(|| value.to_owned(), str::to_owned);
    match name {
        "topics" | "missing" => terms(Topic::vocabulary(), value, lang),
        "functions" => terms(Function::vocabulary(), value, lang),
        "commodities" => terms(Commodity::vocabulary(), value, lang),
        "goals" => terms(Goal::vocabulary(), value, lang),
        "styles" => terms(WorkingStyle::vocabulary(), value, lang),
        "modes" => {
            let mode =
                |mode: &str| catalogue::entry(&format!("mode.{mode}"), lang).map(|entry| entry.text.as_str());
            labels(value, lang, mode)
        }
        "criterion" => one(value.parse().ok().map(|criterion| criterion_label(Some(criterion), lang))),
        "rule" => one(value.parse().ok().map(|rule| rule_label(rule, lang))),
        "level" => one(level(value).map(|level| level_label(level, lang))),
        "country" => one(Country::from_code(value).map(|country| country.label(lang))),
        "region" => one(Region::from_code(value).map(|region| region.label(lang))),
        "languages" => {
            let labels: Vec<&str> = value.split(',').map(|tag| language::label(tag, lang)).collect();
            list(&labels, lang)
        }
        "any_language" => {
            let labels: Vec<&str> = value.split(',').map(|tag| language::label(tag, lang)).collect();
            format::alternatives(&labels, lang)
        }
        "from" | "to" => one(Stage::vocabulary().term(value).map(|term| term.label(lang))),
        "groups" => {
            let groups: Vec<String> = value.split(',').map(|group| group_label(group, lang)).collect();
            list(&groups.iter().map(String::as_str).collect::<Vec<&str>>(), lang)
        }
        "language" => language::label(value, lang).to_owned(),
        "score" => in_percent(value, lang),
        "required" if code == ReasonCode::RuleMinScore => in_percent(value, lang),
        "organisation" => value.to_owned(),
        _ => value.parse::<u64>().map_or_else(|_| value.to_owned(), |number| count(number, lang)),
    }
}

/// A group of a quota: the label of a region, an organisation, or an organisation with a region.
fn group_label(group: &str, lang: Lang) -> String {
    let region = |code: &str| Region::from_code(code).map(|region| region.label(lang));
    match group.split_once('@') {
        Some((organisation, code)) => {
            region(code).map_or_else(|| group.to_owned(), |label| format!("{organisation} ({label})"))
        }
        None => region(group).unwrap_or(group).to_owned(),
    }
}

/// The value of a reason's parameter as templates compare it: one spelling for each level.
fn comparable<'a>(name: &str, value: &'a str) -> &'a str {
    if name == "level" { level(value).map_or(value, |level| level.as_str()) } else { value }
}

fn terms(vocabulary: &'static Vocabulary, codes: &str, lang: Lang) -> String {
    labels(codes, lang, |code| vocabulary.term(code).map(|term| term.label(lang)))
}

/// The labels of several codes joined by `,`; an unknown code stands for itself.
fn labels(codes: &str, lang: Lang, label: impl Fn(&str) -> Option<&'static str>) -> String {
    let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
    list(&codes.map(|code| label(code).unwrap_or(code)).collect::<Vec<&str>>(), lang)
}

fn level(value: &str) -> Option<LanguageLevel> {
    let number = value.parse().ok().and_then(LanguageLevel::from_number);
    number.or_else(|| LanguageLevel::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(value)))
}

fn in_percent(points: &str, lang: Lang) -> String {
    points.parse().map_or_else(|_| points.to_owned(), |points| score(points, lang))
}

#[cfg(test)]
mod tests;
