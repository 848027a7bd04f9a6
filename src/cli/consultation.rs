//! `wim-match consultation open|answer|result|list|show|extend|cancel`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::names::name;
use super::problem::text_of;
use crate::client::json::from_json;
use crate::client::output::{data, items, json, labels, show, tell, titled};
use crate::client::{Error, request_id, time_shown, v1};
use crate::domain::consultation::ConsultationState;
use crate::domain::message::Message;
use crate::domain::vocabulary::{Lang, Region};
use crate::error::chain;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open a consultation of the member organisations.
    Open {
        /// Id: lower-case letters, digits and hyphens, for example `2027-q1`.
        id: String,
        /// The consultation as proto JSON; a file whose name ends with `.toml` has the same fields as TOML, moments in quotes.
        file: PathBuf,
        /// Check the file, and open nothing.
        #[arg(long)]
        validate_only: bool,
    },
    /// Answer a consultation for your organisation, or revise its answer.
    Answer {
        /// Id of the consultation.
        id: String,
        /// Id of the organisation that answers.
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// A question and the chosen options, as QUESTION=OPTION or QUESTION=OPTION,OPTION; once for each question.
        #[arg(long, value_name = "ANSWER", required = true)]
        choose: Vec<String>,
        /// A comment on an answered question, as QUESTION=TEXT.
        #[arg(long, value_name = "COMMENT")]
        comment: Vec<String>,
        /// Check the answer, and give none.
        #[arg(long)]
        validate_only: bool,
    },
    /// Show the result of a consultation after its deadline.
    Result {
        /// Id of the consultation.
        id: String,
    },
    /// List consultations.
    List,
    /// Show a consultation with its questions, and what is known of its answers.
    Show {
        /// Id of the consultation.
        id: String,
    },
    /// Move the deadline of an open consultation to a later moment.
    Extend {
        /// Id of the consultation.
        id: String,
        /// The new deadline, for example 2027-03-31T23:59:00Z.
        #[arg(long, value_name = "MOMENT")]
        deadline: jiff::Timestamp,
    },
    /// Cancel an open consultation, which then has no result.
    Cancel {
        /// Id of the consultation.
        id: String,
        /// Why; every organisation reads it.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let mut organisations = client.organisations.clone();
    let named = |id: &str| name("consultations/", id);
    let changed = match command {
        Command::Open { id, file, validate_only } => {
            let request = v1::CreateConsultationRequest {
                consultation_id: id.trim_start_matches("consultations/").to_owned(),
                consultation: Some(read(&file)?),
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
            };
            let opened = organisations.create_consultation(request).await?.into_inner();
            checked(&opened.violations, validate_only, global)?;
            opened.consultation
        }
        Command::Answer { id, organisation, choose, comment, validate_only } => {
            let request = v1::AnswerConsultationRequest {
                name: named(&id),
                organisation: name("organisations/", &organisation),
                answers: answers(&choose, &comment)?,
                etag: String::new(),
                request_id: if validate_only { String::new() } else { request_id() },
                validate_only,
            };
            let given = organisations.answer_consultation(request).await?.into_inner();
            checked(&given.violations, validate_only, global)?;
            let answer = given.answer.unwrap_or_default();
            if global.json {
                json(&answer)?
            } else {
                data(&answer.organisation)?
            }
            return Ok(());
        }
        Command::Result { id } => {
            let request = v1::GetConsultationRequest { name: named(&id) };
            let consultation = organisations.get_consultation(request).await?.into_inner().consultation;
            let request = v1::GetConsultationResultRequest { name: named(&id) };
            let result = organisations.get_consultation_result(request).await?.into_inner().result;
            return show_result(&consultation.unwrap_or_default(), &result.unwrap_or_default(), global);
        }
        Command::List => {
            let all = client.all_consultations().await?;
            let header =
                [message!("Consultation"), message!("Title"), message!("State"), message!("Deadline")];
            let row = |one: &v1::Consultation| {
                let deadline = time_shown(one.deadline.as_ref());
                [one.name.clone(), title(one, global.lang), state(one, global.lang).to_owned(), deadline]
            };
            return Ok(items(&all, &header, row, global.json, global.lang)?);
        }
        Command::Show { id } => {
            let request = v1::GetConsultationRequest { name: named(&id) };
            let found = organisations.get_consultation(request).await?.into_inner().consultation;
            return show_consultation(&found.unwrap_or_default(), global);
        }
        Command::Extend { id, deadline } => {
            let consultation = v1::Consultation {
                name: named(&id),
                deadline: Some(crate::client::timestamp(deadline)),
                ..v1::Consultation::default()
            };
            let request = v1::UpdateConsultationRequest {
                consultation: Some(consultation),
                update_mask: Some(crate::client::field_mask(&["deadline"])),
                request_id: request_id(),
                validate_only: false,
            };
            organisations.update_consultation(request).await?.into_inner().consultation
        }
        Command::Cancel { id, reason } => {
            let request = v1::CancelConsultationRequest {
                name: named(&id),
                reason,
                request_id: request_id(),
                ..v1::CancelConsultationRequest::default()
            };
            organisations.cancel_consultation(request).await?.into_inner().consultation
        }
    };
    let consultation = changed.unwrap_or_default();
    if global.json {
        json(&consultation)?
    } else {
        data(&consultation.name)?
    }
    Ok(())
}

/// Fails with the first violation of a request that was only checked.
fn checked(violations: &[v1::FieldViolation], validate_only: bool, global: &Global) -> Result<(), Failure> {
    for wrong in violations {
        let told = message!("{field}: {wrong}", field = &wrong.field, wrong = &wrong.description);
        tell(&told, global.lang);
    }
    if !violations.is_empty() {
        return Err(Failure::input(message!("the request is wrong, and nothing was changed"), ""));
    }
    if validate_only {
        tell(&message!("the request is right; nothing was changed (--validate-only)"), global.lang);
    }
    Ok(())
}

/// Reads a consultation from a file.
fn read(file: &Path) -> Result<v1::Consultation, Failure> {
    let text = text_of(file)?;
    let wrong = |cause: String| {
        Failure::input(
            message!(
                "{file} is not a consultation: {cause}",
                file = file.display().to_string(),
                cause = cause
            ),
            message!("docs/consultations.md has an example"),
        )
    };
    let is_toml = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let text = if is_toml {
        let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        serde_json::to_string(&table).map_err(|error| wrong(error.to_string()))?
    } else {
        text
    };
    from_json(&text).map_err(|error| match error {
        Error::Json { source, .. } => wrong(chain(&*source)),
        other => Failure::from(other),
    })
}

/// The answers of `--choose` with the comments of `--comment`.
fn answers(choose: &[String], comments: &[String]) -> Result<Vec<v1::QuestionAnswer>, Failure> {
    let split = |given: &str| {
        given.split_once('=').map(|(question, rest)| (question.to_owned(), rest.to_owned())).ok_or_else(
            || {
                Failure::input(
                    message!("`{given}` is no answer", given = given),
                    message!("write QUESTION=OPTION, for example `--choose fee=yes`"),
                )
            },
        )
    };
    let mut answers = Vec::with_capacity(choose.len());
    for given in choose {
        let (question_id, options) = split(given)?;
        let option_ids = options.split(',').map(str::to_owned).collect();
        answers.push(v1::QuestionAnswer { question_id, option_ids, comment: String::new() });
    }
    for given in comments {
        let (question, comment) = split(given)?;
        let Some(answer) = answers.iter_mut().find(|answer| answer.question_id == question) else {
            let wrong = message!("{question} has a comment and no answer", question = question);
            return Err(Failure::input(wrong, message!("answer it with --choose")));
        };
        answer.comment = comment;
    }
    Ok(answers)
}

/// The text in the language of the reader, or else the first one.
fn text(labels: &[v1::ConsultationLabel], lang: Lang) -> &str {
    let own = labels.iter().find(|one| is_of(&one.language_code, lang));
    own.or_else(|| labels.first()).map_or("", |one| one.text.as_str())
}

fn is_of(tag: &str, lang: Lang) -> bool {
    tag.split('-').next() == Some(lang.tag())
}

fn title(consultation: &v1::Consultation, lang: Lang) -> String {
    let own = consultation.texts.iter().find(|one| is_of(&one.language_code, lang));
    own.or_else(|| consultation.texts.first()).map(|one| one.title.clone()).unwrap_or_default()
}

fn state(consultation: &v1::Consultation, lang: Lang) -> &'static str {
    let state = match consultation.state() {
        v1::ConsultationState::Unspecified | v1::ConsultationState::Open => ConsultationState::Open,
        v1::ConsultationState::Closed => ConsultationState::Closed,
        v1::ConsultationState::Cancelled => ConsultationState::Cancelled,
    };
    wording::consultation_state_label(state, lang)
}

fn show_consultation(consultation: &v1::Consultation, global: &Global) -> Result<(), Failure> {
    if global.json {
        return Ok(json(consultation)?);
    }
    let lang = global.lang;
    let told = |value: &str| Message::verbatim(value.to_owned());
    let grouping = match consultation.result_grouping() {
        v1::ResultGrouping::ByRegion => message!("by region"),
        _ => message!("by organisation"),
    };
    let mut rows = vec![
        (message!("Title"), told(&title(consultation, lang))),
        (message!("State"), told(state(consultation, lang))),
        (message!("Deadline"), told(&time_shown(consultation.deadline.as_ref()))),
        (message!("Result"), grouping),
    ];
    if !consultation.cancel_reason.is_empty() {
        rows.push((message!("Cancelled because"), told(&consultation.cancel_reason)));
    }
    if !consultation.answered_organisations.is_empty() {
        rows.push((message!("Answered"), told(&consultation.answered_organisations.join(", "))));
    }
    data(&labels(rows, lang).to_string())?;
    let own = consultation.texts.iter().find(|one| is_of(&one.language_code, lang));
    for paragraph in
        own.or_else(|| consultation.texts.first()).map_or(&[] as &[String], |one| one.paragraphs.as_slice())
    {
        data(paragraph)?;
    }
    let header = [message!("Questions"), message!("Option"), message!("Text"), message!("Own answer")];
    let mut table = titled(&header, lang);
    for question in &consultation.questions {
        table.add_row([&*question.question_id, "", text(&question.texts, lang), ""]);
        for option in &question.options {
            let chosen: Vec<&str> = (consultation.own_answers.iter())
                .filter(|own| {
                    let answer = own.answers.iter().find(|one| one.question_id == question.question_id);
                    answer.is_some_and(|one| one.option_ids.contains(&option.option_id))
                })
                .map(|own| own.organisation.trim_start_matches("organisations/"))
                .collect();
            table.add_row(["", &*option.option_id, text(&option.texts, lang), chosen.join(", ").as_str()]);
        }
    }
    Ok(data(&table.to_string())?)
}

fn show_result(
    consultation: &v1::Consultation,
    result: &v1::ConsultationResult,
    global: &Global,
) -> Result<(), Failure> {
    if global.json {
        return Ok(json(result)?);
    }
    let lang = global.lang;
    let answered = message!(
        "{answered} of {members} member organisations have answered",
        answered = result.answered_count,
        members = result.member_count
    );
    show(&answered, lang)?;
    if result.questions.is_empty() {
        tell(
            &message!("fewer than 3 organisations have answered, so that there are no numbers by region"),
            lang,
        );
        return Ok(());
    }
    for question in &consultation.questions {
        let Some(found) = result.questions.iter().find(|one| one.question_id == question.question_id) else {
            continue;
        };
        data(&format!("\n{}: {}", question.question_id, text(&question.texts, lang)))?;
        let mut header = vec![message!("Region")];
        header
            .extend(question.options.iter().map(|one| Message::verbatim(text(&one.texts, lang).to_owned())));
        header.extend([message!("No answer"), message!("Organisations")]);
        let mut table = titled(&header, lang);
        let all = wording::message(&message!("all"), lang);
        let others = wording::message(&message!("other regions"), lang);
        for counts in &found.regions {
            let region = Region::from_code(&counts.region).map(|region| region.label(lang).to_owned());
            table.add_row(row(region.unwrap_or_else(|| others.clone()), counts));
        }
        table.add_row(row(all, found.total.as_ref().unwrap_or(&v1::QuestionCounts::default())));
        data(&table.to_string())?;
        for comment in &found.comments {
            data(&format!("- {comment}"))?;
        }
    }
    for answer in &result.answers {
        let given = answer.answers.iter().map(|one| {
            let comment = if one.comment.is_empty() { String::new() } else { format!(" ({})", one.comment) };
            format!("{}={}{comment}", one.question_id, one.option_ids.join(","))
        });
        let organisation = answer.organisation.trim_start_matches("organisations/");
        data(&format!("{organisation}: {}", given.collect::<Vec<_>>().join("; ")))?;
    }
    Ok(())
}

fn row(group: String, counts: &v1::QuestionCounts) -> Vec<String> {
    let options = counts.options.iter().map(|one| one.organisation_count.to_string());
    let rest = [counts.unanswered_count.to_string(), counts.organisation_count.to_string()];
    std::iter::once(group).chain(options).chain(rest).collect()
}
