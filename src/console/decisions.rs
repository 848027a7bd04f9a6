//! The decisions of a round that are in force: who decided what, why, and what it cost; each can be released.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, form, moment, page, text_area};
use super::review::{pages, person};
use super::round::{above, named, round_name};
use super::sign_in::inside;
use super::visit::Visit;
use crate::domain::review::Decision;
use crate::error::Result;
use crate::wording;

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let (name, request) = (round.id.name(), visit.page_request());
    let listing = visit.service().list_decisions(visit.caller()?, &name, false, &request);
    let (_, list) = visit.read("ReviewService/ListDecisions", listing).await?;
    let (_, rest) = list.within(usize::MAX, |_| (), |()| 0);
    let people = list.items.iter().map(|decision| decision.made.recorder.as_str()).collect();
    let handles = visit.handles(people).await?;
    let head = Head {
        title: visit.say("decisions_title").to_owned(),
        above: above(&visit, &round),
        help: visit.say("decisions_help").to_owned(),
    };
    let body = html! {
        @if list.items.is_empty() { (empty(visit.say("decisions_none"))) } @else {
            ul.rows { @for decision in &list.items { (card(&visit, decision, &handles)) } }
        }
        (pages(&visit, &rest))
    };
    Ok(page(&visit, &head, &body))
}

fn card(visit: &Visit, decision: &Decision, handles: &BTreeMap<String, String>) -> Markup {
    let who = handles.get(&decision.made.recorder).map_or("–", String::as_str);
    let (label, made) =
        (wording::decision_label(decision.kind, visit.lang), moment(visit, decision.made.time));
    let by = visit.fill("decision_by", &[("decision", &label), ("handle", &who), ("moment", &made)]);
    html! {
        li.card {
            h2 { (person(&decision.pair.mentee)) " → " (person(&decision.pair.mentor)) }
            p { (by) }
            p { (visit.fill("decision_reason", &[("reason", &decision.reason)])) }
            @match &decision.cost {
                Some(cost) => {
                    @let lost = cost.before.total_score.saturating_sub(cost.after.total_score);
                    p.aside { (visit.fill("decision_cost", &[("points", &wording::decimal(lost, 2, visit.lang)), ("number", &cost.run)])) }
                }
                None => { p.aside { (visit.say("decision_cost_unknown")) } }
            }
            details {
                summary { (visit.say("release")) }
                (form(visit, &format!("/{}/release", round_name(visit)), &html! {
                    input type="hidden" name="decision" value=(decision.number);
                    input type="hidden" name="back" value=(visit.here);
                    (text_area(visit, "reason", visit.say("decide_reason"), true))
                    button type="submit" { (visit.say("release")) }
                }))
            }
        }
    }
}

/// Releases a decision.
pub(super) async fn release(visit: Visit) -> Result<Answer> {
    let name = format!("{}/decisions/{}", round_name(&visit), visit.form.get("decision"));
    let releasing =
        visit.service().release_decision(visit.caller()?, &name, visit.form.get("reason"), visit.change());
    Box::pin(releasing).await?;
    Ok(Answer::to(inside(visit.form.get("back"))))
}
