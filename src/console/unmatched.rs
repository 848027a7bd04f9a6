//! The people of a run without a match: why, and the smallest change that would have matched each.

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, page};
use super::review::{pages, person};
use super::round::{above, missing, named, run_name};
use super::visit::Visit;
use crate::domain::run::Unmatched;
use crate::error::Result;
use crate::wording;

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let (run, request) = (run_name(&visit), visit.page_request());
    let listing = visit.service().list_unmatched(visit.caller()?, &run, &request);
    let list = visit.read("RunService/ListUnmatched", listing).await.map_err(missing)?;
    let (_, rest) = list.within(usize::MAX, |_| (), |()| 0);
    let head = Head {
        title: visit.fill("unmatched_title", &[("number", &visit.path.get("run"))]),
        above: above(&visit, &round),
        help: visit.say("unmatched_help").to_owned(),
    };
    let body = html! {
        @if list.items.is_empty() { (empty(visit.say("unmatched_none"))) } @else {
            ul.rows { @for one in &list.items { (card(&visit, one)) } }
        }
        (pages(&visit, &rest))
    };
    Ok(page(&visit, &head, &body))
}

fn card(visit: &Visit, one: &Unmatched) -> Markup {
    let people = |count| wording::people(count, visit.lang);
    html! {
        li.card {
            h2 { (person(&one.profile)) }
            p {
                @if let Some(side) = one.side { span.state { (wording::side_label(side, visit.lang)) } " " }
                b { (wording::unmatched_label(one.reason, visit.lang)) }
            }
            @for reason in &one.details { p { (wording::sentence(reason, visit.lang)) } }
            p.aside { (visit.fill("unmatched_candidates", &[("candidates", &people(one.candidates)), ("counterparts", &people(one.counterparts))])) }
            @if !one.exclusions.is_empty() {
                ul { @for (rule, count) in &one.exclusions {
                    li { (wording::labelled(wording::exclusion_label(*rule, visit.lang), &people(*count), visit.lang)) }
                } }
            }
        }
    }
}
