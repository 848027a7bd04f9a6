//! One pair: why it is matched, what else was possible, what another decision would change, and the decision itself.
//!
//! The preview is a page of its own (`whatif=` in the address) and changes nothing. The button repeats verb and cost. Its form
//! carries the version of what was said of the pair and a digest of the preview: if either has changed, nothing is saved, and the
//! page shows the new cost and what somebody else has decided meanwhile, with the reason still typed.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use super::answer::Answer;
use super::page::{Head, form, moment, page, text_area};
use super::review::{filter_of, person};
use super::round::{above, missing, named, round_name, run_name};
use super::visit::Visit;
use crate::domain::name::PairRef;
use crate::domain::review::{Decision, DecisionKind};
use crate::domain::run::{Contribution, RoundNumbers, Side};
use crate::domain::version::etag_of;
use crate::engine::solved_round::{Effect, RoundAlternate};
use crate::error::{Error, Result};
use crate::service::{AskedDecision, ExplainedPair, PageRequest, PairDraft, PairStanding};
use crate::wording;

/// Other partners that the page lists for each of the two.
const ALTERNATES: i32 = 5;

/// What another decision would change, and whether it can be made.
enum Preview {
    /// Nothing was asked.
    None,
    /// What it changes.
    Known(DecisionKind, Box<Effect>),
    /// Why it cannot be asked or made.
    Refused(Error),
}

/// The page of a match.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let run = run_name(&visit);
    let name = format!("{run}/matches/{}", visit.path.get("match"));
    let reading = visit.service().get_match(visit.caller()?, &name);
    let found = visit.read("RunService/GetMatch", reading).await.map_err(missing)?.1.pair;
    let (mentee, mentor) = (found.mentee.name(), found.mentor.name());
    let explaining = visit.service().explain_pair(visit.caller()?, &run, &mentee, &mentor);
    let explained = visit.read("RunService/ExplainPair", explaining).await?;
    let head = Head {
        title: format!("{} → {}", found.mentee.id, found.mentor.id),
        above: {
            let mut above = above(&visit, &round);
            let queue =
                format!("/{run}/review{}", visit.query.with(&[("after", ""), ("whatif", ""), ("saved", "")]));
            above.push((queue, visit.fill("queue_title", &[("number", &visit.path.get("run"))])));
            above
        },
        help: visit.say("pair_help").to_owned(),
    };
    if !visit.is_coordinator() {
        let body = html! { (why(&visit, &explained)) };
        return Ok(page(&visit, &head, &body));
    }
    let asking = visit.service().pair_standing(visit.caller()?, &run, &mentee, &mentor);
    let standing = visit.read("ReviewService/ListReviewedMatches", asking).await?;
    let preview = preview(&visit, &run, (&mentee, &mentor)).await?;
    let pair = (mentee.as_str(), mentor.as_str());
    let said = said(&visit, &standing).await?;
    let next = next(&visit, &run).await?;
    let body = html! {
        (saved(&visit))
        (standing_words(&visit, &standing).await?)
        div.two {
            div { (why(&visit, &explained)) }
            div {
                (alternates(&visit, &run, pair).await?)
            }
        }
        (questions(&visit, &standing, &preview, pair))
        section {
            h2 { (visit.say("pair_said")) }
            (said)
        }
        (steps(&visit, &standing, pair, next.as_deref()))
    };
    Ok(page(&visit, &head, &body))
}

/// Where the page is, also for a form that was refused.
fn path(visit: &Visit) -> String {
    format!("/{}/matches/{}", run_name(visit), visit.path.get("match"))
}

/// The address of the page with changes.
fn place(visit: &Visit, change: &[(&str, &str)]) -> String {
    path(visit) + &visit.query.with(change)
}

fn why(visit: &Visit, explained: &ExplainedPair) -> Markup {
    let pair = &explained.explanation.pair;
    html! {
        section.panel {
            h2 { (visit.say("pair_why")) " " (wording::score(pair.score.into(), visit.lang)) }
            p { (person(&pair.mentee)) " → " (person(&pair.mentor)) }
            p { (wording::sentence(&explained.verdict, visit.lang)) }
            @for (_, reason) in &explained.explanation.broken_rules { p.note { (wording::sentence(reason, visit.lang)) } }
            @for given in &pair.contributions { (contribution(visit, given)) }
        }
    }
}

fn contribution(visit: &Visit, given: &Contribution) -> Markup {
    let label = wording::criterion_label(given.criterion, visit.lang);
    let points = |points: u16| wording::decimal(points.into(), 2, visit.lang);
    html! {
        div.points {
            span { (label) }
            // Points of private criteria are counted and not shown.
            @if given.criterion.is_some() {
                span.number { (points(given.points)) " / " (points(given.max_points)) }
                meter min="0" max=(given.max_points.max(1)) value=(given.points) aria-label=(label) {}
            }
            p.aside { (wording::sentence(&given.reason, visit.lang)) }
        }
    }
}

async fn alternates(visit: &Visit, run: &str, (mentee, mentor): (&str, &str)) -> Result<Markup> {
    let mut lists = Vec::new();
    for (who, side) in [(mentee, Side::Mentee), (mentor, Side::Mentor)] {
        let work = visit.service().list_alternates(visit.caller()?, run, (who, side, ALTERNATES));
        let found = match visit.read("ReviewService/ListAlternates", work).await {
            Ok(work) => work.finish().await,
            Err(error) => Err(error),
        };
        // A person who was erased answers no question; the page is still a page.
        let found = match found {
            Err(Error::InputErased(_) | Error::Overloaded(_) | Error::NotFound(_)) => None,
            found => Some(found?),
        };
        lists.push((side, found));
    }
    Ok(html! {
        section.panel {
            h2 { (visit.say("pair_else")) }
            @for (side, found) in &lists {
                h3 { (visit.fill("pair_else_for", &[("side", &wording::side_label(*side, visit.lang))])) }
                @match found {
                    None => { p.aside { (visit.say("pair_else_unknown")) } }
                    Some(found) if found.is_empty() => { p.aside { (visit.say("pair_else_none")) } }
                    Some(found) => { ul.rows { @for one in found { li { (alternate(visit, *side, one)) } } } }
                }
            }
        }
    })
}

fn alternate(visit: &Visit, side: Side, one: &RoundAlternate) -> Markup {
    let other = if side == Side::Mentee { &one.mentor } else { &one.mentee };
    let points = wording::decimal(one.points, 2, visit.lang);
    let moved = one.moves.len();
    html! {
        (person(other)) " "
        span.number { (wording::score(one.score.into(), visit.lang)) }
        p.aside {
            (visit.fill("alternate_cost", &[("points", &points), ("moved", &moved)]))
            @if one.people > 0 { " " (visit.fill("alternate_people", &[("people", &one.people)])) }
        }
    }
}

/// The effect of the decision that the address asks about.
async fn preview(visit: &Visit, run: &str, (mentee, mentor): (&str, &str)) -> Result<Preview> {
    let kind = match visit.query.get("whatif") {
        "forbid" => DecisionKind::Veto,
        "keep" => DecisionKind::Pin,
        _ => return Ok(Preview::None),
    };
    let asked = [AskedDecision { kind: Some(kind), mentee: mentee.to_owned(), mentor: mentor.to_owned() }];
    let asking = visit.service().what_if_decisions(visit.caller()?, run, (&asked, &[]));
    let effect = match visit.read("ReviewService/WhatIfDecisions", asking).await {
        Ok(work) => work.finish().await,
        Err(error) => Err(error),
    };
    Ok(match effect {
        Ok(effect) => Preview::Known(kind, Box::new(effect)),
        Err(error @ (Error::Internal(..) | Error::StoreUnavailable(_))) => return Err(error),
        Err(error) => Preview::Refused(error),
    })
}

/// What a preview has shown, in a few characters: if they differ later, the cost has changed.
fn digest(kind: DecisionKind, effect: &Effect) -> String {
    let shown = format!("{}{:?}{:?}{:?}", kind.as_str(), effect.before, effect.after, effect.moves);
    hex::encode(&Sha256::digest(shown)[..8])
}

/// Shown points that the round loses.
fn cost(before: &RoundNumbers, after: &RoundNumbers) -> u64 {
    before.total_score.saturating_sub(after.total_score)
}

fn questions(visit: &Visit, standing: &PairStanding, preview: &Preview, pair: (&str, &str)) -> Markup {
    let asked = visit.query.get("whatif");
    html! {
        section.panel #whatif {
            h2 { (visit.say("whatif_title")) }
            nav.tabs aria-label=(visit.say("whatif_title")) {
                @for (name, key) in [("", "whatif_nothing"), ("keep", "whatif_keep"), ("forbid", "whatif_forbid")] {
                    @let current = (name == asked).then_some("true");
                    a href=(place(visit, &[("whatif", name), ("saved", "")]) + "#whatif") aria-current=[current] { (visit.say(key)) }
                }
            }
            @match preview {
                Preview::None => { p.aside { (visit.say("whatif_help")) } }
                Preview::Refused(error) => {
                    p.note { (wording::capitalised(&wording::message(&error.message(), visit.lang))) }
                }
                Preview::Known(kind, effect) => { (effect_words(visit, effect)) (decide_form(visit, standing, (*kind, effect), pair)) }
            }
        }
    }
}

fn effect_words(visit: &Visit, effect: &Effect) -> Markup {
    let number = |value: u64| wording::count(value, visit.lang);
    let points = |numbers: &RoundNumbers| wording::decimal(numbers.total_score, 2, visit.lang);
    let worst = |numbers: &RoundNumbers| {
        numbers
            .scores
            .map_or_else(|| "–".to_owned(), |scores| wording::score(scores.worst.into(), visit.lang))
    };
    let (before, after) = (&effect.before, &effect.after);
    html! {
        dl.tiles {
            div { dt { (visit.say("whatif_total")) } dd { (points(before)) " → " (points(after)) } }
            div { dt { (visit.say("matched_mentees")) } dd { (number(before.matched_mentees)) " → " (number(after.matched_mentees)) } }
            div { dt { (visit.say("whatif_worst")) } dd { (worst(before)) " → " (worst(after)) } }
        }
        p { (visit.fill("whatif_moved", &[("moved", &effect.moves.len())])) }
        @if !effect.moves.is_empty() {
            ul { @for moved in effect.moves.iter().take(10) {
                @let names = |list: &[crate::domain::name::ProfileRef]| if list.is_empty() { "–".to_owned() } else { list.iter().map(|one| one.id.to_string()).collect::<Vec<_>>().join(", ") };
                li { (moved.mentee.id) ": " (names(&moved.before)) " → " (names(&moved.after)) }
            } }
        }
        @if !effect.is_exact { p.note { (visit.say("whatif_bound")) } }
    }
}

fn decide_form(
    visit: &Visit,
    standing: &PairStanding,
    (kind, effect): (DecisionKind, &Effect),
    (mentee, mentor): (&str, &str),
) -> Markup {
    let version = standing.review.as_ref().map_or(0, |review| review.version);
    let points = wording::decimal(cost(&effect.before, &effect.after), 2, visit.lang);
    let key = if kind == DecisionKind::Pin { "decide_pin" } else { "decide_veto" };
    let action = format!("{}/decide{}", path(visit), visit.query.with(&[]));
    form(
        visit,
        &action,
        &html! {
            input type="hidden" name="kind" value=(kind.as_str());
            input type="hidden" name="mentee" value=(mentee);
            input type="hidden" name="mentor" value=(mentor);
            input type="hidden" name="version" value=(version);
            input type="hidden" name="preview" value=(digest(kind, effect));
            (text_area(visit, "reason", visit.say("decide_reason"), true))
            div.actions {
                button type="submit" { (visit.fill(key, &[("points", &points)])) }
                a href=(place(visit, &[("whatif", "")])) { (visit.say("decide_not")) }
            }
        },
    )
}

/// The decision in force, with the way to release it, and whether somebody has looked at the pair.
async fn standing_words(visit: &Visit, standing: &PairStanding) -> Result<Markup> {
    let Some(decision) = &standing.decision else { return Ok(html! {}) };
    let handles = visit.handles(BTreeSet::from([decision.made.recorder.as_str()])).await?;
    let who = handles.get(&decision.made.recorder).map_or("–", String::as_str);
    let words = visit.fill(
        "decision_by",
        &[
            ("decision", &wording::decision_label(decision.kind, visit.lang)),
            ("handle", &who),
            ("moment", &moment(visit, decision.made.time)),
        ],
    );
    Ok(html! {
        section.note {
            p { b { (words) } }
            p { (visit.fill("decision_reason", &[("reason", &decision.reason)])) }
            (release_form(visit, decision, &path(visit)))
        }
    })
}

/// The form that releases a decision.
pub(super) fn release_form(visit: &Visit, decision: &Decision, back: &str) -> Markup {
    form(
        visit,
        &format!("/{}/release", round_name(visit)),
        &html! {
            input type="hidden" name="decision" value=(decision.number);
            input type="hidden" name="back" value=(back);
            input type="hidden" name="reason" value=(visit.say("release_reason"));
            button.quiet type="submit" { (visit.say("release")) }
        },
    )
}

/// What was saved just now, with the way back.
fn saved(visit: &Visit) -> Markup {
    let number = visit.query.get("saved");
    html! {
        @if number.parse::<u32>().is_ok() {
            section.note role="status" {
                p { (visit.say("saved")) }
                (form(visit, &format!("/{}/release", round_name(visit)), &html! {
                    input type="hidden" name="decision" value=(number);
                    input type="hidden" name="back" value=(path(visit));
                    input type="hidden" name="reason" value=(visit.say("undo_reason"));
                    button.quiet type="submit" { (visit.say("undo")) }
                }))
            }
        }
    }
}

async fn said(visit: &Visit, standing: &PairStanding) -> Result<Markup> {
    let name = PairRef { round: standing.run.round.clone(), id: standing.pair_id.clone() }.name();
    let request = PageRequest { size: 100, token: String::new() };
    let listing = visit.service().list_comments(visit.caller()?, &name, &request);
    let comments = match visit.read("ReviewService/ListComments", listing).await {
        Ok((_, page)) => page.items,
        // A pair of which nothing was said is not kept.
        Err(Error::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let people = comments.iter().map(|comment| comment.said.recorder.as_str()).collect();
    let handles = visit.handles(people).await?;
    Ok(html! {
        @if comments.is_empty() { p.aside { (visit.say("pair_said_none")) } } @else {
            ul.rows { @for comment in &comments {
                li.card {
                    p.aside {
                        (wording::comment_label(comment.kind, visit.lang)) " · "
                        @match &comment.organisation {
                            Some(organisation) => { (organisation) }
                            None => { (handles.get(&comment.said.recorder).map_or("–", String::as_str)) }
                        }
                        " · " (moment(visit, comment.said.time))
                    }
                    p { (comment.text) }
                }
            } }
        }
    })
}

/// What she can do without a decision: say something, mark the pair, and go on.
fn steps(
    visit: &Visit,
    standing: &PairStanding,
    (mentee, mentor): (&str, &str),
    next: Option<&str>,
) -> Markup {
    let place = path(visit);
    let etag = standing.review.as_ref().map(|review| etag_of(review.version)).unwrap_or_default();
    let queue = format!(
        "/{}/review{}",
        run_name(visit),
        visit.query.with(&[("after", ""), ("whatif", ""), ("saved", "")])
    );
    let pair = html! {
        input type="hidden" name="mentee" value=(mentee);
        input type="hidden" name="mentor" value=(mentor);
    };
    html! {
        (form(visit, &format!("{place}/comment{}", visit.query.with(&[])), &html! {
            (pair)
            (text_area(visit, "text", visit.say("comment_text"), true))
            button.quiet type="submit" { (visit.say("comment_send")) }
        }))
        div.actions {
            (form(visit, &format!("/{}/review/mark{}", run_name(visit), visit.query.with(&[])), &html! {
                (pair)
                input type="hidden" name="etag" value=(etag);
                input type="hidden" name="next" value=(next.unwrap_or(&queue));
                button type="submit" { (visit.say("looks_right")) }
            }))
            @match next {
                Some(next) => { a.button.quiet rel="next" href=(next) { (visit.say("next_pair")) } }
                None => { a.button.quiet href=(queue) { (visit.say("queue_back")) } }
            }
        }
    }
}

/// The page of the next match of the queue from which she came.
async fn next(visit: &Visit, run: &str) -> Result<Option<String>> {
    let after = visit.query.get("after");
    if after.is_empty() {
        return Ok(None);
    }
    let (filter, request) = (filter_of(&visit.query), PageRequest { size: 1, token: after.to_owned() });
    let listing = visit.service().list_reviewed_matches(visit.caller()?, run, &filter, &request);
    let page = match visit.read("ReviewService/ListReviewedMatches", listing).await {
        Err(Error::InvalidPageToken) => return Ok(None),
        listed => listed?.1,
    };
    let (_, rest) = page.within(usize::MAX, |_| (), |()| 0);
    let place = visit.query.with(&[("after", &rest), ("whatif", ""), ("saved", "")]);
    Ok(page.items.first().map(|one| format!("/{run}/matches/{}{place}", one.id)))
}

/// Pins or vetoes the pair, if it still costs what the page has shown.
pub(super) async fn decide(visit: Visit) -> Result<Answer> {
    let run = run_name(&visit);
    let kind = DecisionKind::from_name(visit.form.get("kind"));
    let kind = kind.ok_or_else(|| Error::NotFound("the decision".to_owned()))?;
    let (mentee, mentor) = (visit.form.get("mentee"), visit.form.get("mentor"));
    let asking = visit.service().pair_standing(visit.caller()?, &run, mentee, mentor);
    let standing = visit.read("ReviewService/ListReviewedMatches", asking).await?;
    let version = standing.review.as_ref().map_or(0, |review| review.version);
    let is_repeated = standing.decision.as_ref().is_some_and(|held| held.kind == kind);
    if !is_repeated {
        let asked =
            [AskedDecision { kind: Some(kind), mentee: mentee.to_owned(), mentor: mentor.to_owned() }];
        let asking = visit.service().what_if_decisions(visit.caller()?, &run, (&asked, &[]));
        let effect = visit.read("ReviewService/WhatIfDecisions", asking).await?.finish().await?;
        let is_as_shown = digest(kind, &effect) == visit.form.get("preview");
        if !is_as_shown || visit.form.get("version") != version.to_string() {
            return Err(Error::EtagMismatch(String::new()));
        }
    }
    let pair = PairDraft { round: round_name(&visit), mentee: mentee.to_owned(), mentor: mentor.to_owned() };
    let words = (visit.form.get("reason"), "");
    let deciding = visit.service().decide_on_pair(visit.caller()?, kind, &pair, words, visit.change());
    let (_, decision) = Box::pin(deciding).await?;
    let saved = format!("saved={}", decision.number);
    let to = match next(&visit, &run).await? {
        Some(next) => format!("{next}{}{saved}", if next.contains('?') { "&" } else { "?" }),
        None => format!("{}?{saved}", path(&visit)),
    };
    Ok(Answer::to(to))
}

/// Says something of the pair.
pub(super) async fn comment(visit: Visit) -> Result<Answer> {
    let pair = PairDraft {
        round: round_name(&visit),
        mentee: visit.form.get("mentee").to_owned(),
        mentor: visit.form.get("mentor").to_owned(),
    };
    visit.service().create_comment(visit.caller()?, &pair, visit.form.get("text"), visit.change()).await?;
    let place = visit.query.with(&[("saved", "")]);
    Ok(Answer::to(path(&visit) + &place))
}
