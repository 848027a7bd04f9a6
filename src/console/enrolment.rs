//! The enrolments of an organisation in a round: how many of its people take part, and who does not and why.

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, form, page};
use super::review::{pages, person};
use super::round::{above, named, round_name};
use super::visit::Visit;
use crate::domain::enrolment::EnrolmentFilter;
use crate::domain::grant::Role;
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};
use crate::service::{Change, Enrolled, Picked, RefusedEnrolment};
use crate::wording;

/// People who cannot be enrolled, of whom the page names so many.
const MOST_REFUSED: usize = 50;

/// The organisation of the manager who asks.
fn own(visit: &Visit) -> Result<OrganisationId> {
    let role = visit.caller()?.roles.first();
    match role {
        Some(Role::OrganisationManager(own)) => Ok(own.clone()),
        _ => Err(Error::PermissionDenied {
            role: role.map_or("none", Role::as_str),
            action: "RoundService/EnrolProfiles",
            required: Role::ORGANISATION_MANAGER,
        }),
    }
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let own = own(&visit)?;
    let name = round.id.name();
    let (filter, request) = (
        EnrolmentFilter { organisation: Some(own.clone()), ..EnrolmentFilter::default() },
        visit.page_request(),
    );
    let listing = visit.service().list_enrolments(visit.caller()?, &name, &filter, &request);
    let list = visit.read("RoundService/ListEnrolments", listing).await?;
    let (_, rest) = list.within(usize::MAX, |_| (), |()| 0);
    // What enrolling everybody would do now: nothing is stored.
    let all = Picked { names: Vec::new(), all: true, waiting: false };
    let trial = Change { request_id: "", validate_only: true };
    let trial = visit.service().enrol_profiles(visit.caller()?, &name, &own.name(), all, trial).await;
    let trial = match trial {
        Ok(trial) => Some(trial),
        // The round takes nobody any more.
        Err(Error::RoundState { .. }) => None,
        Err(error) => return Err(error),
    };
    let head = Head {
        title: visit.say("enrolment_title").to_owned(),
        above: above(&visit, &round),
        help: visit.say("enrolment_help").to_owned(),
    };
    let body = html! {
        @match &trial {
            Some(trial) => { (offer(&visit, trial)) }
            None => { p.note { (visit.say("enrolment_closed")) } }
        }
        h2 { (visit.say("enrolment_list")) }
        @if list.items.is_empty() { (empty(visit.say("enrolment_none"))) } @else {
            ul.rows { @for (enrolment, _) in &list.items {
                li.card {
                    p { (person(&enrolment.profile)) @if enrolment.withdraw_time.is_some() { " " span.state { (visit.say("enrolment_withdrawn")) } } }
                }
            } }
        }
        (pages(&visit, &rest))
    };
    Ok(page(&visit, &head, &body))
}

fn offer(visit: &Visit, trial: &Enrolled) -> Markup {
    html! {
        section.panel {
            h2 { (visit.fill("enrolment_offer", &[("new", &trial.enrolled), ("present", &trial.already_enrolled)])) }
            @if trial.enrolled > 0 {
                (form(visit, &format!("/{}/enrolment", round_name(visit)), &html! {
                    button type="submit" { (visit.fill("enrolment_all", &[("new", &trial.enrolled)])) }
                }))
            }
            @if trial.refused_count > 0 {
                h3 { (visit.fill("enrolment_refused", &[("people", &trial.refused_count)])) }
                ul { @for (profile, reason) in trial.refused.iter().take(MOST_REFUSED) {
                    li { b { (profile.rsplit('/').next().unwrap_or_default()) } ": " (visit.say(refusal(*reason))) }
                } }
            }
            @for (profile, warning) in trial.warnings.iter().take(MOST_REFUSED) {
                p.aside { (profile.rsplit('/').next().unwrap_or_default()) ": " (warning.value) " " (wording::warning(warning, visit.lang)) }
            }
        }
    }
}

fn refusal(reason: RefusedEnrolment) -> &'static str {
    match reason {
        RefusedEnrolment::NoLiveConsent => "refused_consent",
        RefusedEnrolment::NoRole => "refused_role",
        RefusedEnrolment::NotFound => "refused_missing",
        RefusedEnrolment::Restricted => "refused_restricted",
    }
}

/// Enrols everybody of the organisation who can be enrolled.
pub(super) async fn enrol(visit: Visit) -> Result<Answer> {
    let (own, round) = (own(&visit)?, round_name(&visit));
    let all = Picked { names: Vec::new(), all: true, waiting: false };
    visit.service().enrol_profiles(visit.caller()?, &round, &own.name(), all, visit.change()).await?;
    Ok(Answer::to(format!("/{round}/enrolment")))
}
