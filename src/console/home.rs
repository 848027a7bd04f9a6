//! The first page after the door: what waits for her, and the rounds that she sees, each with its next step.

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, page};
use super::visit::Visit;
use crate::domain::round::{Round, RoundState};
use crate::domain::submission::{Submission, SubmissionState};
use crate::error::{Error, Result};
use crate::service::PageRequest;
use crate::wording;

/// Rounds that the page lists.
const MOST_ROUNDS: i32 = 200;

/// Something that waits for her: where it is, and its words.
struct Waiting {
    path: String,
    words: String,
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let head = Head {
        title: visit.say("home_title").to_owned(),
        help: visit.say("home_help").to_owned(),
        ..Head::default()
    };
    let request = PageRequest { size: MOST_ROUNDS, token: String::new() };
    let listing = visit.service().list_rounds(visit.caller()?, &request);
    let rounds = match visit.read("RoundService/ListRounds", listing).await {
        Ok(page) => page.items,
        // This role runs no rounds.
        Err(Error::PermissionDenied { .. }) => {
            return Ok(page(&visit, &head, &empty(visit.say("home_no_pages"))));
        }
        Err(error) => return Err(error),
    };
    let waiting = waiting(&visit, &rounds).await?;
    let body = html! {
        section {
            h2 { (visit.say("home_waiting")) }
            @if waiting.is_empty() { (empty(visit.say("home_nothing_waits"))) } @else {
                ul.cards { @for one in &waiting { li.card { a href=(one.path) { (one.words) } } } }
            }
        }
        section {
            h2 { (visit.say("home_rounds")) }
            @if rounds.is_empty() {
                (empty(visit.say(if visit.is_coordinator() { "home_first" } else { "home_first_manager" })))
            } @else {
                ul.cards { @for round in &rounds { (card(&visit, round)) } }
            }
        }
    };
    Ok(page(&visit, &head, &body))
}

fn card(visit: &Visit, round: &Round) -> Markup {
    let content = &round.content;
    let dates = [content.start_date, content.end_date].map(|date| wording::day(date, visit.lang));
    html! {
        li.card {
            h3 { a href=(format!("/rounds/{}", round.id)) { (content.display_name) } }
            p.aside { (dates[0]) " – " (dates[1]) }
            p { span.state { (wording::round_state_label(round.state, visit.lang)) } }
            p.aside { (next_step(visit, round.state)) }
        }
    }
}

/// The next step of a round, in the words of whoever reads.
pub(super) fn next_step(visit: &Visit, state: RoundState) -> &'static str {
    let key = match (state, visit.is_coordinator()) {
        (RoundState::Draft | RoundState::Enrolling, true) => "next_run",
        (RoundState::Draft | RoundState::Enrolling, false) => "next_enrol",
        (RoundState::Review, true) => "next_review",
        (RoundState::Review, false) => "next_wait_review",
        (RoundState::Submitted, _) => "next_approve",
        (RoundState::Approved, _) => "next_publish",
        (RoundState::Published, true) => "next_follow",
        (RoundState::Published, false) => "next_answer",
        (RoundState::Closed | RoundState::Cancelled, _) => "next_none",
    };
    visit.say(key)
}

async fn waiting(visit: &Visit, rounds: &[Round]) -> Result<Vec<Waiting>> {
    if !visit.is_coordinator() {
        return Ok(Vec::new());
    }
    let me = &visit.who()?.session.principal;
    let mut waiting = Vec::new();
    for round in rounds {
        let path = format!("/rounds/{}", round.id);
        let name = &round.content.display_name;
        if round.calls_for_repair {
            waiting.push(Waiting {
                path: path.clone(),
                words: visit.fill("waiting_repair", &[("round", name)]),
            });
        }
        if round.state == RoundState::Review {
            waiting.push(Waiting { path, words: visit.fill("waiting_review", &[("round", name)]) });
            continue;
        }
        let Some(submission) = newest_submission(visit, round).await? else { continue };
        let key = match submission.state {
            SubmissionState::Submitted if submission.made.recorder == *me => "waiting_other",
            SubmissionState::Submitted => "waiting_approve",
            SubmissionState::Approved => "waiting_publish",
            _ => continue,
        };
        waiting.push(Waiting { path: path + "/submission", words: visit.fill(key, &[("round", name)]) });
    }
    Ok(waiting)
}

/// The newest submission of a round, if its state says that there is one.
async fn newest_submission(visit: &Visit, round: &Round) -> Result<Option<Submission>> {
    if !matches!(round.state, RoundState::Submitted | RoundState::Approved) {
        return Ok(None);
    }
    let (parent, request) = (round.id.name(), PageRequest { size: 1, token: String::new() });
    let listing = visit.service().list_submissions(visit.caller()?, &parent, &request);
    let page = visit.read("ReviewService/ListSubmissions", listing).await?;
    Ok(page.items.into_iter().next())
}
