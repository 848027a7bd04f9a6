//! The review queue: the matches of a run, the weakest first, with what was said of them; filter and place are in the address.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, form, page};
use super::round::{above, missing, named, run_name};
use super::visit::{Fields, Visit};
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::review::{Attention, ReviewFilter, ReviewedMatch};
use crate::domain::version::etag_of;
use crate::domain::vocabulary::Region;
use crate::error::Result;
use crate::service::PairDraft;
use crate::wording;

/// What the queue shows: the matches that need attention, all, or those that were looked at.
const TABS: [(&str, &str); 3] = [("", "queue_needs"), ("all", "queue_all"), ("done", "queue_done")];

/// The names of the causes in an address.
const CAUSES: [(&str, Attention); 6] = [
    ("worst", Attention::Worst),
    ("pinned", Attention::Pinned),
    ("changed", Attention::Changed),
    ("contested", Attention::Contested),
    ("commented", Attention::Commented),
    ("left", Attention::Left),
];

/// The filter that an address asks for. What is no filter filters nothing.
pub(super) fn filter_of(query: &Fields) -> ReviewFilter {
    let cause = CAUSES.iter().find(|(name, _)| *name == query.get("cause")).map(|(_, cause)| *cause);
    let (attention, reviewed) = match query.get("show") {
        "all" => (cause.into_iter().collect(), None),
        "done" => (cause.into_iter().collect(), Some(true)),
        _ => (cause.map_or_else(|| Attention::ALL.to_vec(), |cause| vec![cause]), Some(false)),
    };
    ReviewFilter {
        attention,
        organisation: query.get("organisation").trim().parse::<OrganisationId>().ok(),
        region: Region::from_code(query.get("region")),
        reviewed,
        ..ReviewFilter::default()
    }
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let (run, filter) = (run_name(&visit), filter_of(&visit.query));
    let request = visit.page_request();
    let listing = visit.service().list_reviewed_matches(visit.caller()?, &run, &filter, &request);
    let (_, list) = visit.read("ReviewService/ListReviewedMatches", listing).await.map_err(missing)?;
    let (_, rest) = list.within(usize::MAX, |_| (), |()| 0);
    let marks = list.items.iter().filter_map(|one| one.review.as_ref()?.mark.as_ref());
    let handles = visit.handles(marks.map(|mark| mark.recorder.as_str()).collect::<BTreeSet<_>>()).await?;
    let head = Head {
        title: visit.fill("queue_title", &[("number", &visit.path.get("run"))]),
        above: above(&visit, &round),
        help: visit.say("queue_help").to_owned(),
    };
    let cards: Vec<Markup> = list
        .items
        .iter()
        .enumerate()
        .map(|(at, one)| {
            // The place behind this match, from which the page of the match goes on.
            let (_, after) = list.within(at + 1, |_| (), |()| 1);
            let by = one.review.as_ref().and_then(|review| review.mark.as_ref());
            let by = by.map(|mark| handles.get(&mark.recorder).map_or("–", String::as_str));
            card(&visit, one, &after, by)
        })
        .collect();
    let body = html! {
        (tabs(&visit))
        (filters(&visit))
        @if cards.is_empty() {
            (empty(visit.say(if visit.query.get("show").is_empty() { "queue_empty" } else { "queue_none" })))
            p { a.button href=(format!("/rounds/{}", round.id)) { (visit.say("queue_to_round")) } }
        } @else {
            div data-keys {
                p.aside { label.choice { input type="checkbox" data-keys-off; (visit.say("keys_off")) } (visit.say("keys")) }
                ul.rows { @for card in &cards { (card) } }
            }
        }
        (pages(&visit, &rest))
    };
    Ok(page(&visit, &head, &body))
}

fn tabs(visit: &Visit) -> Markup {
    let shown = visit.query.get("show");
    html! {
        nav.tabs aria-label=(visit.say("queue_tabs")) {
            @for (name, key) in TABS {
                @let current = (name == shown).then_some("page");
                a href=(address(visit, &[("show", name), ("page", "")])) aria-current=[current] { (visit.say(key)) }
            }
            a href=(format!("/{}/unmatched", run_name(visit))) { (visit.fill("unmatched_title", &[("number", &visit.path.get("run"))])) }
        }
    }
}

/// The address of this list with changes. An empty query keeps its question mark, so that a link to it is no link to nothing.
fn address(visit: &Visit, change: &[(&str, &str)]) -> String {
    format!("/{}/review{}", run_name(visit), visit.query.with(change))
}

fn filters(visit: &Visit) -> Markup {
    html! {
        form.filters method="get" action=(format!("/{}/review", run_name(visit))) {
            input type="hidden" name="show" value=(visit.query.get("show"));
            label { (visit.say("filter_cause"))
                select name="cause" {
                    option value="" { (visit.say("filter_any")) }
                    @for (name, cause) in CAUSES {
                        option value=(name) selected[visit.query.get("cause") == name] { (wording::attention_label(cause, visit.lang)) }
                    }
                }
            }
            label { (visit.say("filter_organisation"))
                input name="organisation" value=(visit.query.get("organisation")) spellcheck="false" autocomplete="off";
            }
            label { (visit.say("filter_region"))
                select name="region" {
                    option value="" { (visit.say("filter_any")) }
                    @for region in Region::all() {
                        option value=(region.code()) selected[visit.query.get("region") == region.code()] { (region.label(visit.lang)) }
                    }
                }
            }
            button.quiet type="submit" { (visit.say("filter_apply")) }
        }
    }
}

/// A person as the pages name her: the id that her organisation gave her, and her organisation.
pub(super) fn person(profile: &ProfileRef) -> Markup {
    html! { b { (profile.id) } span.aside { " · " (profile.organisation) } }
}

fn card(visit: &Visit, one: &ReviewedMatch, after: &str, marked_by: Option<&str>) -> Markup {
    let place = visit.query.with(&[("after", after), ("page", "")]);
    let path = format!("/{}/matches/{}{place}", run_name(visit), one.id);
    let etag = one.review.as_ref().map(|review| etag_of(review.version)).unwrap_or_default();
    html! {
        li.card data-item {
            h2 { a href=(path) { (person(&one.found.mentee)) " → " (person(&one.found.mentor)) } }
            p { (wording::score(one.found.score.into(), visit.lang)) }
            p {
                @for cause in &one.attention { span.state { (wording::attention_label(*cause, visit.lang)) } " " }
                @if let Some(decision) = &one.decision { span.state { (wording::decision_label(decision.kind, visit.lang)) } }
            }
            @if let Some(review) = &one.review {
                @if review.comments + review.contests > 0 {
                    p.aside { (visit.fill("queue_words", &[("comments", &review.comments), ("contests", &review.contests)])) }
                }
            }
            @if let Some(handle) = marked_by { p.aside { (visit.fill("queue_marked", &[("handle", &handle)])) } }
            @if marked_by.is_none() {
                div.actions {
                    (form(visit, &format!("/{}/review/mark{}", run_name(visit), visit.query.with(&[])), &html! {
                        input type="hidden" name="mentee" value=(one.found.mentee.name());
                        input type="hidden" name="mentor" value=(one.found.mentor.name());
                        input type="hidden" name="etag" value=(etag);
                        button.quiet type="submit" { (visit.say("looks_right")) }
                    }))
                }
            }
        }
    }
}

/// The way to the next page of a list, and back to its first.
pub(super) fn pages(visit: &Visit, rest: &str) -> Markup {
    let path = visit.here.split('?').next().unwrap_or_default();
    html! {
        nav.pages aria-label=(visit.say("pages")) {
            @if !visit.query.get("page").is_empty() {
                a href=(format!("{path}{}", visit.query.with(&[("page", "")]))) { (visit.say("first_page")) }
            }
            @if !rest.is_empty() {
                a.button.quiet rel="next" href=(format!("{path}{}", visit.query.with(&[("page", rest)]))) { (visit.say("next_page")) }
            }
        }
    }
}

/// Marks a match as one that was looked at and looks right. It binds nothing.
pub(super) async fn mark(visit: Visit) -> Result<Answer> {
    let pair = PairDraft {
        round: super::round::round_name(&visit),
        mentee: visit.form.get("mentee").to_owned(),
        mentor: visit.form.get("mentor").to_owned(),
    };
    let etag = visit.form.get("etag");
    visit.service().mark_reviewed(visit.caller()?, &pair, ("", etag), visit.change()).await?;
    let to = match visit.form.get("next") {
        "" => address(&visit, &[]),
        next => super::sign_in::inside(next).to_owned(),
    };
    Ok(Answer::to(to))
}
