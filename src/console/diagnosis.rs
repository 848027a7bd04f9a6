//! What stands in the way of a round before it is run: people without candidates, scarce languages and topics, places against
//! demand.

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, page};
use super::review::person;
use super::round::{above, named};
use super::visit::Visit;
use crate::domain::diagnosis::{Balance, BalanceKind, RoundDiagnosis, Scarce, ScarceKind};
use crate::domain::language;
use crate::domain::run::UnmatchedReason;
use crate::domain::vocabulary::{Kind as _, Topic};
use crate::error::Result;
use crate::service::Diagnosing;
use crate::wording;

/// People that the page lists.
const MOST_PEOPLE: usize = 50;

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let name = round.id.name();
    let diagnosing = visit.service().diagnose_round(visit.caller()?, &name, None, false);
    let diagnosing = visit.read("RoundService/DiagnoseRound", diagnosing).await?;
    let head = Head {
        title: visit.say("diagnosis_title").to_owned(),
        above: above(&visit, &round),
        help: visit.say("diagnosis_help").to_owned(),
    };
    let body = match diagnosing {
        Diagnosing::Round(work) => whole(&visit, &work.finish().await?.diagnosis),
        Diagnosing::Members(warnings) => html! {
            @if warnings.is_empty() { p.good { (visit.say("diagnosis_nothing")) } } @else {
                ul.rows { @for (profile, warning) in &warnings {
                    li.card { p { b { (profile.rsplit('/').next().unwrap_or_default()) } " · " (warning.field) ": " (warning.value) " " (wording::warning(warning, visit.lang)) } }
                } }
            }
        },
    };
    Ok(page(&visit, &head, &body))
}

fn whole(visit: &Visit, diagnosis: &RoundDiagnosis) -> Markup {
    let number = |value: u64| wording::count(value, visit.lang);
    let without: Vec<_> =
        diagnosis.unmatched.iter().filter(|one| one.reason == UnmatchedReason::NoCandidate).collect();
    let is_well = without.is_empty() && diagnosis.scarce.is_empty() && diagnosis.shortages.is_empty();
    html! {
        dl.tiles {
            div { dt { (visit.say("mentees")) } dd { (number(diagnosis.mentees)) } }
            div { dt { (visit.say("mentors")) } dd { (number(diagnosis.mentors)) } }
            div { dt { (visit.say("places")) } dd { (number(diagnosis.places)) } }
            div { dt { (visit.say("most_matched")) } dd { (number(diagnosis.most_matched)) } }
        }
        @if is_well { p.good { "✓ " (visit.say("diagnosis_nothing")) } }
        @for reason in &diagnosis.quotas_unmet { p.note { (wording::sentence(reason, visit.lang)) } }
        @if !without.is_empty() {
            section {
                h2 { (visit.fill("diagnosis_without", &[("people", &without.len())])) }
                ul.rows { @for one in without.iter().take(MOST_PEOPLE) {
                    li.card {
                        h3 { (person(&one.profile)) }
                        @for reason in &one.details { p { (wording::sentence(reason, visit.lang)) } }
                    }
                } }
            }
        }
        @if !diagnosis.scarce.is_empty() {
            section {
                h2 { (visit.say("diagnosis_scarce")) }
                ul { @for scarce in &diagnosis.scarce { li { (scarce_words(visit, scarce)) } } }
            }
        }
        @if !diagnosis.balances.is_empty() { (balances(visit, &diagnosis.balances)) }
    }
}

fn scarce_words(visit: &Visit, scarce: &Scarce) -> String {
    let label = match scarce.kind {
        ScarceKind::Language => language::label(&scarce.code, visit.lang),
        ScarceKind::Topic => {
            Topic::vocabulary().term(&scarce.code).map_or(scarce.code.as_str(), |term| term.label(visit.lang))
        }
    };
    visit.fill(
        "diagnosis_scarce_one",
        &[("what", &label), ("mentees", &scarce.mentees), ("places", &scarce.places)],
    )
}

fn balances(visit: &Visit, balances: &[Balance]) -> Markup {
    let label = |balance: &Balance| match &balance.kind {
        BalanceKind::Region(region) => region.label(visit.lang).to_owned(),
        BalanceKind::Organisation(organisation) => organisation.to_string(),
    };
    let number = |value: u64| wording::count(value, visit.lang);
    html! {
        section {
            h2 { (visit.say("diagnosis_balance")) }
            div.scroll tabindex="0" role="region" aria-label=(visit.say("diagnosis_balance")) {
                table {
                    thead { tr {
                        th scope="col" { (visit.say("diagnosis_group")) }
                        th.number scope="col" { (visit.say("diagnosis_wanted")) }
                        th.number scope="col" { (visit.say("places")) }
                    } }
                    tbody { @for balance in balances { tr {
                        th scope="row" { (label(balance)) }
                        td.number { (number(balance.wanted)) }
                        td.number { (number(balance.places)) }
                    } } }
                }
            }
        }
    }
}
