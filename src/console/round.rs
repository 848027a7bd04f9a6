//! One round: how far it is, its people, its runs with live progress, and the next step.

use maud::{Markup, html};

use super::answer::Answer;
use super::home::next_step;
use super::page::{Head, empty, form, moment, page};
use super::visit::Visit;
use crate::domain::grant::Role;
use crate::domain::round::{Round, RoundState};
use crate::domain::run::{Run, RunState, Stage};
use crate::error::{Error, Result};
use crate::service::{PageRequest, RunToFollow};
use crate::wording;

/// Runs that the page lists.
const RUNS: i32 = 20;

/// The resource name of the round that the path names.
pub(super) fn round_name(visit: &Visit) -> String {
    format!("rounds/{}", visit.path.get("round"))
}

/// The resource name of the run that the path names.
pub(super) fn run_name(visit: &Visit) -> String {
    format!("{}/runs/{}", round_name(visit), visit.path.get("run"))
}

/// The round that the path names. A name that is none is that of nothing.
pub(super) async fn named(visit: &Visit) -> Result<Round> {
    let name = round_name(visit);
    let reading = visit.service().get_round(visit.caller()?, &name);
    visit.read("RoundService/GetRound", reading).await.map_err(missing)
}

/// A path that cannot name anything names nothing.
pub(super) fn missing(error: Error) -> Error {
    match error {
        Error::InvalidFields(_) => Error::NotFound(String::new()),
        other => other,
    }
}

/// The pages above those of a round.
pub(super) fn above(visit: &Visit, round: &Round) -> Vec<(String, String)> {
    vec![
        ("/".to_owned(), visit.say("home_title").to_owned()),
        (format!("/rounds/{}", round.id), round.content.display_name.clone()),
    ]
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let (parent, request) = (round.id.name(), PageRequest { size: RUNS, token: String::new() });
    let listing = visit.service().list_runs(visit.caller()?, &parent, &request);
    let runs = visit.read("RunService/ListRuns", listing).await?.items;
    let newest_result = runs.iter().find(|run| run.state == RunState::Succeeded);
    let under_way = runs.iter().find(|run| !run.state.is_final());
    let head = Head {
        title: round.content.display_name.clone(),
        above: vec![("/".to_owned(), visit.say("home_title").to_owned())],
        help: next_step(&visit, round.state).to_owned(),
    };
    let body = html! {
        (way(&visit, round.state))
        (people(&visit, &round))
        @if let Some(run) = under_way { (progress(&visit, run)) }
        @if visit.is_coordinator() && under_way.is_none() && round.state.is_open() { (start(&visit, &round)) }
        @if let Some(run) = newest_result { (result(&visit, run)) }
        nav.actions aria-label=(visit.say("round_pages")) {
            @if let Some(run) = newest_result {
                @if visit.is_coordinator() { a.button href=(format!("/{}/review", run.name.name())) { (visit.say("review")) } }
                a.button.quiet href=(format!("/{}/unmatched", run.name.name())) { (visit.fill("unmatched_title", &[("number", &run.name.number)])) }
            }
            @if round.state.is_open() { a.button.quiet href=(format!("/{parent}/diagnosis")) { (visit.say("diagnosis_title")) } }
            @if visit.acts_as(Role::ORGANISATION_MANAGER) { a.button.quiet href=(format!("/{parent}/enrolment")) { (visit.say("enrolment_title")) } }
            @if matches!(round.state, RoundState::Published | RoundState::Closed) {
                a.button.quiet href=(format!("/{parent}/mentorships")) { (visit.say("mentorships_title")) }
            }
            @if visit.is_coordinator() { a.button.quiet href=(format!("/{parent}/decisions")) { (visit.say("decisions_title")) } }
            a.button.quiet href=(format!("/{parent}/submission")) { (visit.say("submission_title")) }
        }
        section {
            h2 { (visit.say("runs")) }
            @if runs.is_empty() { (empty(visit.say("runs_none"))) } @else {
                ul.cards { @for run in &runs { (row(&visit, run)) } }
            }
        }
    };
    Ok(page(&visit, &head, &body))
}

/// The states of a round in their order, and where it stands.
fn way(visit: &Visit, state: RoundState) -> Markup {
    let reached = RoundState::ALL.iter().position(|known| *known == state).unwrap_or_default();
    html! {
        ol.way aria-label=(visit.say("way")) {
            @if state == RoundState::Cancelled {
                li aria-current="step" { (wording::round_state_label(state, visit.lang)) }
            } @else {
                @for (at, step) in RoundState::ALL.into_iter().enumerate().filter(|(_, step)| *step != RoundState::Cancelled) {
                    li.done[at < reached] aria-current=[(at == reached).then_some("step")] {
                        (wording::round_state_label(step, visit.lang))
                        @if at < reached { span aria-hidden="true" { " ✓" } }
                    }
                }
            }
        }
    }
}

fn people(visit: &Visit, round: &Round) -> Markup {
    let number = |count: i64| wording::count(u64::try_from(count).unwrap_or_default(), visit.lang);
    html! {
        dl.tiles {
            div { dt { (visit.say("mentees")) } dd { (number(round.enrolment.mentees)) } }
            div { dt { (visit.say("mentors")) } dd { (number(round.enrolment.mentors)) } }
            div { dt { (visit.say("profiles")) } dd { (number(round.enrolment.profiles)) } }
        }
    }
}

fn start(visit: &Visit, round: &Round) -> Markup {
    let action = format!("/rounds/{}/runs", round.id);
    html! {
        section {
            h2 { (visit.say("start_title")) }
            (form(visit, &action, &html! {
                p { (visit.say("start_help")) }
                button type="submit" { (visit.say("start")) }
            }))
        }
    }
}

/// A run under way. The numbers are news: a script keeps them fresh, and without one there is a link to look again.
fn progress(visit: &Visit, run: &Run) -> Markup {
    let number = run.name.number;
    let news = format!("/rounds/{}/runs/{number}/news", run.name.round);
    let told = News::of(visit, run);
    let reached = run.progress.map(|progress| progress.stage);
    html! {
        section.panel data-live=(news) data-on=(visit.say("live")) data-off=(visit.say("live_off")) data-paused=(visit.say("live_paused")) {
            h2 { (visit.fill("run_title", &[("number", &number)])) }
            ol.stages {
                @for stage in Stage::ALL {
                    li aria-current=[(Some(stage) == reached).then_some("step")] { (wording::stage_label(stage, visit.lang)) }
                }
            }
            p role="status" data-news="stage" { (told.stage) }
            progress max="100" value=(told.share) data-news="bar" aria-label=(visit.say("progress")) {}
            p.aside { span data-news="updated" { (told.updated) } " · " span data-state { a href=(visit.here) { (visit.say("refresh")) } } }
            @if visit.is_coordinator() {
                (form(visit, &format!("/rounds/{}/cancel-run", run.name.round), &html! {
                    input type="hidden" name="run" value=(number);
                    button.quiet type="submit" { (visit.fill("cancel_run", &[("number", &number)])) }
                }))
            }
        }
    }
}

/// What a run under way has to tell.
pub(super) struct News {
    /// Its state, and the stage if it runs.
    pub(super) stage: String,
    /// How much of the stage is done, in percent.
    pub(super) share: u64,
    /// When this was so.
    pub(super) updated: String,
}

impl News {
    /// What a run has to tell now.
    pub(super) fn of(visit: &Visit, run: &Run) -> Self {
        let state = wording::run_state_label(run.state, visit.lang);
        let reached = run.progress.map(|progress| wording::stage_label(progress.stage, visit.lang));
        let work = run.progress.and_then(|progress| progress.work).filter(|work| work.total > 0);
        let updated = visit.service().clock().now();
        Self {
            stage: reached
                .map_or_else(|| state.to_owned(), |stage| wording::labelled(state, stage, visit.lang)),
            share: work
                .map_or(0, |work| (100 * work.done.min(work.total)).checked_div(work.total).unwrap_or(0)),
            updated: visit.fill("updated", &[("moment", &moment(visit, updated))]),
        }
    }
}

/// The result of a run in numbers.
pub(super) fn result(visit: &Visit, run: &Run) -> Markup {
    let number = run.name.number;
    html! {
        section {
            h2 { (visit.fill("result_title", &[("number", &number)])) }
            @if let Some(summary) = &run.summary {
                dl.tiles {
                    div { dt { (visit.say("matched_mentees")) } dd { (of(visit, summary.matched_mentees, summary.mentees)) } }
                    div { dt { (visit.say("matched_mentors")) } dd { (of(visit, summary.matched_mentors, summary.mentors)) } }
                    div { dt { (visit.say("filled_places")) } dd { (of(visit, summary.filled_places, summary.places)) } }
                    @if let Some(scores) = summary.scores {
                        div { dt { (visit.say("scores")) } dd {
                            (wording::score(scores.median.into(), visit.lang))
                            span.aside { " " (wording::score(scores.worst.into(), visit.lang)) " – " (wording::score(scores.best.into(), visit.lang)) }
                        } }
                    }
                    div { dt { (visit.say("proof")) } dd { (visit.say(if summary.proof.proved { "proved" } else { "not_proved" })) } }
                }
            }
            @if !run.stale_causes.is_empty() {
                @let causes: Vec<&str> = run.stale_causes.iter().map(|cause| wording::stale_cause_label(*cause, visit.lang)).collect();
                p.note { (visit.fill("stale", &[("causes", &wording::list(&causes, visit.lang))])) }
            }
        }
    }
}

/// `101 of 112`.
fn of(visit: &Visit, part: u64, whole: u64) -> String {
    let [part, whole] = [part, whole].map(|number| wording::count(number, visit.lang));
    visit.fill("of", &[("part", &part), ("whole", &whole)])
}

fn row(visit: &Visit, run: &Run) -> Markup {
    html! {
        li.card {
            h3 { (visit.fill("run_title", &[("number", &run.name.number)])) }
            p { span.state { (wording::run_state_label(run.state, visit.lang)) } }
            p.aside { (moment(visit, run.create_time)) }
            @if run.state == RunState::Succeeded && visit.is_coordinator() {
                p { a.button.quiet href=(format!("/{}/review", run.name.name())) { (visit.say("review")) } }
            }
            @if let Some(summary) = &run.summary {
                p.aside { (visit.say("matched_mentees")) " " (of(visit, summary.matched_mentees, summary.mentees)) }
            }
            @if let Some((reason, _)) = &run.failure {
                p.note { (visit.fill("run_failed", &[("code", &reason.code())])) }
            }
        }
    }
}

/// Starts a run.
pub(super) async fn start_run(visit: Visit) -> Result<Answer> {
    let name = round_name(&visit);
    visit.service().start_run(visit.caller()?, &name, RunToFollow::default(), visit.change()).await?;
    Ok(Answer::to(format!("/{name}")))
}

/// Cancels a run.
pub(super) async fn cancel_run(visit: Visit) -> Result<Answer> {
    let name = format!("{}/runs/{}", round_name(&visit), visit.form.get("run"));
    visit.service().cancel_run(visit.caller()?, &name, visit.change()).await?;
    Ok(Answer::to(format!("/{}", round_name(&visit))))
}
