//! The frame of every page: who acts as whom, where one stands, what the page is for and what comes next; and the words of
//! what went wrong.

use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};

use super::answer::{Answer, status_of};
use super::assets::{ICON, SCRIPT, STYLE};
use super::visit::Visit;
use crate::domain::grant::Role;
use crate::domain::language;
use crate::domain::vocabulary::Lang;
use crate::error::Error;
use crate::wording;

/// What a page says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    /// Its title, in the words of the reader.
    pub(super) title: String,
    /// The pages above it, the highest first: where they are, and what they are called.
    pub(super) above: Vec<(String, String)>,
    /// One sentence on what it is for and what comes next.
    pub(super) help: String,
}

/// A page in its frame. A form that was refused is shown with the status and the words of its refusal.
pub(super) fn page(visit: &Visit, head: &Head, body: &Markup) -> Answer {
    let status = visit.problem.as_ref().map_or(StatusCode::OK, status_of);
    framed(visit, status, head, body)
}

fn framed(visit: &Visit, status: StatusCode, head: &Head, body: &Markup) -> Answer {
    let title = format!("{} · wim-match", head.title);
    let page = html! {
        (DOCTYPE)
        html lang=(visit.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(STYLE.path);
                link rel="icon" href=(ICON.path) type="image/svg+xml";
                script src=(SCRIPT.path) nonce=(visit.nonce) defer {}
            }
            body data-wait=(visit.say("wait")) {
                a.skip href="#main" { (visit.say("skip")) }
                (header(visit))
                main #main {
                    @if !head.above.is_empty() {
                        nav.crumbs aria-label=(visit.say("crumbs")) {
                            @for (path, name) in &head.above { a href=(path) { (name) } span aria-hidden="true" { " › " } }
                            span { (head.title) }
                        }
                    }
                    h1 { (head.title) }
                    @if !head.help.is_empty() { p.help { (head.help) } }
                    @if let Some(error) = &visit.problem { (problem(visit, error)) }
                    (body)
                }
                (footer(visit))
            }
        }
    };
    Answer::page(status, page)
}

fn header(visit: &Visit) -> Markup {
    html! {
        header.top {
            a.brand href="/" { "wim-match" }
            @if let Some(visitor) = &visit.visitor {
                div.who {
                    span.handle { (visitor.principal.content.handle) }
                    @if visitor.grants.len() > 1 {
                        form.inline method="post" action="/act-as" {
                            input type="hidden" name="back" value=(visit.here);
                            label for="grant" { (visit.say("acting_as")) }
                            select #grant name="grant" {
                                @for grant in &visitor.grants {
                                    option value=(grant.id) selected[grant.id == visitor.session.grant] {
                                        (role_words(visit, &grant.role))
                                    }
                                }
                            }
                            button.quiet type="submit" { (visit.say("switch")) }
                        }
                    } @else {
                        @for grant in &visitor.grants { span { (visit.say("acting_as")) " " b { (role_words(visit, &grant.role)) } } }
                    }
                    span.time { (clock(visit)) }
                    a href="/sessions" { (visit.say("sessions")) }
                    form.inline method="post" action="/sign-out" {
                        button.quiet type="submit" { (visit.say("sign_out")) }
                    }
                }
            }
        }
    }
}

fn footer(visit: &Visit) -> Markup {
    html! {
        footer {
            // What she has typed into a refused form is not lost by a link.
            @if visit.form.0.is_empty() { nav aria-label=(visit.say("languages")) {
                @for lang in Lang::ALL {
                    @let name = wording::capitalised(language::label(lang.tag(), lang));
                    @if lang == visit.lang {
                        b lang=(lang.tag()) aria-current="true" { (name) }
                    } @else {
                        a href=(visit.query.with(&[("lang", lang.tag())])) lang=(lang.tag()) hreflang=(lang.tag()) { (name) }
                    }
                }
            } }
        }
    }
}

/// A role in words, with its organisation.
pub(super) fn role_words(visit: &Visit, role: &Role) -> String {
    let name = wording::text(&format!("role.{}", role.as_str()), visit.lang);
    match role.organisation() {
        Some(own) => format!("{name} · {own}"),
        None => name.to_owned(),
    }
}

/// The present time where she is, and in UTC.
fn clock(visit: &Visit) -> String {
    at(visit, visit.now, "%H:%M")
}

/// A moment where she is, and in UTC: `2027-01-15 14:07 Lima · 19:07 UTC`.
pub(super) fn moment(visit: &Visit, moment: Timestamp) -> String {
    at(visit, moment, "%Y-%m-%d %H:%M")
}

fn at(visit: &Visit, moment: Timestamp, form: &str) -> String {
    let zone = visit.visitor.as_ref().map_or("", |visitor| visitor.principal.content.time_zone.as_str());
    let utc = moment.to_zoned(TimeZone::UTC);
    match TimeZone::get(zone) {
        Ok(local) if !zone.is_empty() => {
            let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
            let local = moment.to_zoned(local);
            format!("{} {city} · {} UTC", local.strftime(form), utc.strftime("%H:%M"))
        }
        _ => format!("{} UTC", utc.strftime(form)),
    }
}

/// A form that changes something. Its fields carry the `request_id`, made now, and the role in which she acts.
pub(super) fn form(visit: &Visit, action: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="request_id" value=(visit.request_id());
            @if let Some(visitor) = &visit.visitor {
                input type="hidden" name="grant" value=(visitor.session.grant);
            }
            (fields)
        }
    }
}

/// A text of several lines with its label, and with what she has typed.
pub(super) fn text_area(visit: &Visit, name: &str, label: &str, required: bool) -> Markup {
    html! {
        label.field {
            span { (label) }
            textarea name=(name) rows="3" maxlength="2000" required[required] { (visit.typed(name, "")) }
        }
    }
}

/// What went wrong, what to do, and the words that an operator finds in the log.
fn problem(visit: &Visit, error: &Error) -> Markup {
    html! {
        section.problem role="alert" tabindex="-1" data-problem {
            h2 { (visit.say("problem_title")) }
            p { (words_of(visit, error)) }
            @if let Error::InvalidFields(violations) = error {
                ul { @for violation in violations.listed() { li { (wording::message(&violation.sentence(), visit.lang)) } } }
            }
            p.aside { (visit.fill("problem_kept", &[("id", &visit.id)])) }
        }
    }
}

/// An error in the words of the console, which knows no tokens.
fn words_of(visit: &Visit, error: &Error) -> String {
    match error {
        Error::NotFound(_) => visit.say("not_found").to_owned(),
        Error::Unauthenticated => visit.say("not_signed_in").to_owned(),
        Error::PermissionDenied { required, .. } => {
            visit.fill("denied", &[("required", &wording::text(&format!("role.{required}"), visit.lang))])
        }
        Error::EtagMismatch(_) => visit.say("changed_meanwhile").to_owned(),
        other => wording::capitalised(&wording::message(&other.message(), visit.lang)),
    }
}

/// The page of a request that found no page of its own.
pub(super) fn failed(visit: &Visit, error: &Error) -> Answer {
    let status = status_of(error);
    let title = match error {
        Error::NotFound(_) => visit.say("not_found_title"),
        Error::PermissionDenied { .. } => visit.say("denied_title"),
        _ => visit.say("problem_title"),
    };
    let head = Head { title: title.to_owned(), ..Head::default() };
    let body = html! {
        section.problem role="alert" {
            p { (words_of(visit, error)) }
            p.aside { (visit.fill("problem_id", &[("id", &visit.id)])) }
        }
        p { a.button href="/" { (visit.say("to_home")) } }
    };
    framed(visit, status, &head, &body)
}

/// The page of a form that could not be taken because her session has ended, or she acts in another role by now. All that she
/// has typed is in the page, and is sent again as it was: with the same `request_id`, so that nothing is done twice.
pub(super) fn send_again(visit: &Visit, text: &str, signs_in: bool) -> Answer {
    let head = Head { title: visit.say("again_title").to_owned(), ..Head::default() };
    let status = if signs_in { StatusCode::UNAUTHORIZED } else { StatusCode::CONFLICT };
    let body = html! {
        section.problem role="alert" { p { (text) } }
        @if signs_in {
            p { a.button href="/sign-in" target="_blank" rel="noopener" { (visit.say("again_sign_in")) } }
        }
        form method="post" action=(visit.here) {
            @for (name, value) in visit.form.0.iter().filter(|(name, _)| name != "grant") {
                input type="hidden" name=(name) value=(value);
            }
            button type="submit" { (visit.say("again_send")) }
        }
    };
    framed(visit, status, &head, &body)
}

/// The page of a form that is not of the console.
pub(super) fn foreign_form(visit: &Visit) -> Answer {
    let head = Head { title: visit.say("denied_title").to_owned(), ..Head::default() };
    let body = html! { section.problem role="alert" { p { (visit.say("foreign_form")) } } };
    framed(visit, StatusCode::FORBIDDEN, &head, &body)
}

/// What to do where there is nothing yet.
pub(super) fn empty(text: &str) -> Markup {
    html! { p.empty { (text) } }
}
