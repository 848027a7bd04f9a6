//! The published matches of a round and their lives; a manager records the answers and the meetings of her members.

use maud::{Markup, html};

use super::answer::Answer;
use super::page::{Head, empty, form, moment, page};
use super::review::{pages, person};
use super::round::{above, named, round_name};
use super::visit::Visit;
use crate::domain::grant::Role;
use crate::domain::mentorship::{DeclineReason, Mentorship, MentorshipState};
use crate::domain::run::Side;
use crate::domain::version::etag_of;
use crate::error::Result;
use crate::service::Named;
use crate::wording;

/// The page.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let round = named(&visit).await?;
    let (name, request) = (round.id.name(), visit.page_request());
    let state = MentorshipState::from_name(visit.query.get("state"));
    let overdue = visit.query.get("overdue") == "1";
    let listing = visit.service().list_mentorships(visit.caller()?, (&name, ""), (state, overdue), &request);
    let list = visit.read("MentorshipService/ListMentorships", listing).await?;
    let (_, rest) = list.within(usize::MAX, |_| (), |()| 0);
    let head = Head {
        title: visit.say("mentorships_title").to_owned(),
        above: above(&visit, &round),
        help: visit.say("mentorships_help").to_owned(),
    };
    let path = format!("/{name}/mentorships");
    let body = html! {
        nav.tabs aria-label=(visit.say("mentorships_title")) {
            a href=(path) aria-current=[(state.is_none() && !overdue).then_some("page")] { (visit.say("queue_all")) }
            a href=(format!("{path}?overdue=1")) aria-current=[overdue.then_some("page")] { (visit.say("mentorships_overdue")) }
            @for known in MentorshipState::ALL.iter().take(5) {
                a href=(format!("{path}?state={}", known.as_str())) aria-current=[(state == Some(*known)).then_some("page")] {
                    (state_label(&visit, *known))
                }
            }
        }
        @if list.items.is_empty() { (empty(visit.say("mentorships_none"))) } @else {
            ul.rows { @for one in &list.items { (card(&visit, one)) } }
        }
        (pages(&visit, &rest))
    };
    Ok(page(&visit, &head, &body))
}

fn state_label(visit: &Visit, state: MentorshipState) -> &'static str {
    wording::text(&format!("mentorship_state.{}", state.as_str()), visit.lang)
}

fn decline(reason: DeclineReason) -> &'static str {
    match reason {
        DeclineReason::NoTime => "decline_no_time",
        DeclineReason::NoLongerAvailable => "decline_no_longer_available",
        DeclineReason::NotAFit => "decline_not_a_fit",
        DeclineReason::ConflictOfInterest => "decline_conflict",
        DeclineReason::Other => "decline_other",
    }
}

fn card(visit: &Visit, one: &Mentorship) -> Markup {
    let own = visit.visitor.as_ref().and_then(|who| match who.caller.roles.first() {
        Some(Role::OrganisationManager(own)) => Some(own.clone()),
        _ => None,
    });
    html! {
        li.card {
            h2 { (person(&one.pair.mentee)) " → " (person(&one.pair.mentor)) }
            p { span.state { (state_label(visit, one.state)) } }
            @if one.state == MentorshipState::Proposed {
                p.aside { (visit.fill("respond_until", &[("moment", &moment(visit, one.respond_until))])) }
            }
            @if let Some(day) = one.first_meeting { p.aside { (visit.fill("first_meeting", &[("day", &wording::day(day, visit.lang))])) } }
            @for side in [Side::Mentee, Side::Mentor] {
                @if one.state == MentorshipState::Proposed && one.answer(side).is_none() && own.as_ref() == Some(one.organisation(side)) {
                    (answer_form(visit, one, side))
                }
            }
            @if one.state == MentorshipState::Accepted && own.is_some() { (meeting_form(visit, one)) }
        }
    }
}

fn named_fields(one: &Mentorship) -> Markup {
    html! {
        input type="hidden" name="mentorship" value=(one.name.name());
        input type="hidden" name="etag" value=(etag_of(one.version));
    }
}

fn answer_form(visit: &Visit, one: &Mentorship, side: Side) -> Markup {
    let value = if side == Side::Mentee { "mentee" } else { "mentor" };
    form(
        visit,
        &format!("/{}/mentorships/answer", round_name(visit)),
        &html! {
            (named_fields(one))
            input type="hidden" name="side" value=(value);
            p { (visit.fill("answer_for", &[("side", &wording::side_label(side, visit.lang))])) }
            div.actions {
                button type="submit" name="answer" value="accept" { (visit.say("answer_accept")) }
                label { span.aside { (visit.say("decline_reason")) " " }
                    select name="reason" {
                        @for reason in DeclineReason::ALL {
                            option value=(reason.as_str()) { (visit.say(decline(*reason))) }
                        }
                    }
                }
                button.quiet type="submit" name="answer" value="decline" { (visit.say("answer_decline")) }
            }
        },
    )
}

fn meeting_form(visit: &Visit, one: &Mentorship) -> Markup {
    form(
        visit,
        &format!("/{}/mentorships/meeting", round_name(visit)),
        &html! {
            (named_fields(one))
            div.actions {
                label { (visit.say("meeting_day")) " " input type="date" name="date" value=(visit.service().today()) required; }
                button.quiet type="submit" { (visit.say("meeting_send")) }
            }
        },
    )
}

/// Records what a member answers to her match.
pub(super) async fn answer(visit: Visit) -> Result<Answer> {
    let named = Named { name: visit.form.get("mentorship"), etag: visit.form.get("etag") };
    let side = match visit.form.get("side") {
        "mentee" => Some(Side::Mentee),
        "mentor" => Some(Side::Mentor),
        _ => None,
    };
    let declines = visit.form.get("answer") == "decline";
    let reason = DeclineReason::from_name(visit.form.get("reason")).filter(|_| declines);
    visit.service().respond_to_mentorship(visit.caller()?, named, (side, reason), visit.change()).await?;
    Ok(Answer::to(format!("/{}/mentorships", round_name(&visit))))
}

/// Records the first meeting.
pub(super) async fn meeting(visit: Visit) -> Result<Answer> {
    let named = Named { name: visit.form.get("mentorship"), etag: visit.form.get("etag") };
    let date = visit.form.get("date");
    visit.service().record_first_meeting(visit.caller()?, named, date, visit.change()).await?;
    Ok(Answer::to(format!("/{}/mentorships", round_name(&visit))))
}
