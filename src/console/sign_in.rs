//! Signing in and out, the role in which one acts, and one's own sessions.

use axum::http::header;
use maud::html;

use super::answer::Answer;
use super::guard;
use super::page::{self, Head, moment, page};
use super::visit::Visit;
use crate::error::{Error, Result};

/// The door.
pub(super) async fn show(visit: Visit) -> Result<Answer> {
    let head = Head {
        title: visit.say("sign_in_title").to_owned(),
        help: visit.say("sign_in_help").to_owned(),
        ..Head::default()
    };
    let takes_tokens = visit.house.options.token_sign_in;
    let body = html! {
        @if takes_tokens {
            (page::form(&visit, "/sign-in", &html! {
                input type="hidden" name="next" value=(visit.query.get("next"));
                label.field {
                    span { (visit.say("sign_in_token")) }
                    input type="password" name="token" required autocomplete="off" spellcheck="false";
                }
                button type="submit" { (visit.say("sign_in")) }
            }))
        } @else {
            p { (visit.say("sign_in_closed")) }
        }
    };
    Ok(page(&visit, &head, &body))
}

/// Opens a session for a token. Always a new one: nobody can plant the id of a session.
pub(super) async fn enter(visit: Visit) -> Result<Answer> {
    if !visit.house.options.token_sign_in {
        return Err(Error::NotFound("sign-in".to_owned()));
    }
    let secret = visit.service().sign_in_with_token(visit.form.get("token"), visit.lang).await?;
    if let Some(old) = &visit.visitor {
        visit.service().sign_out(old, &old.session.id).await?;
    }
    let cookie = guard::set_cookie(Some(&secret), &visit.house.options);
    Ok(Answer::to(inside(visit.form.get("next"))).with(header::SET_COOKIE, cookie))
}

/// Ends this session.
pub(super) async fn leave(visit: Visit) -> Result<Answer> {
    let visitor = visit.who()?;
    visit.service().sign_out(visitor, &visitor.session.id).await?;
    Ok(left(&visit))
}

/// Ends every session of hers.
pub(super) async fn leave_everywhere(visit: Visit) -> Result<Answer> {
    visit.service().sign_out_everywhere(visit.who()?).await?;
    Ok(left(&visit))
}

fn left(visit: &Visit) -> Answer {
    Answer::to("/sign-in")
        .with(header::SET_COOKIE, guard::set_cookie(None, &visit.house.options))
        .with(axum::http::HeaderName::from_static("clear-site-data"), "\"cache\", \"cookies\", \"storage\"")
}

/// Lets her act in another of her roles.
pub(super) async fn act_as(visit: Visit) -> Result<Answer> {
    visit.service().act_as(visit.who()?, visit.form.get("grant")).await?;
    Ok(Answer::to(inside(visit.form.get("back"))))
}

/// Her sessions.
pub(super) async fn sessions(visit: Visit) -> Result<Answer> {
    let visitor = visit.who()?;
    let sessions = visit.service().list_sessions(visitor).await?;
    let head = Head {
        title: visit.say("sessions").to_owned(),
        above: vec![("/".to_owned(), visit.say("home_title").to_owned())],
        help: visit.say("sessions_help").to_owned(),
    };
    let body = html! {
        ul.cards {
            @for session in &sessions {
                li.card {
                    p { (visit.fill("session_since", &[("moment", &moment(&visit, session.create_time))])) }
                    p.aside { (visit.fill("session_used", &[("moment", &moment(&visit, session.use_time))])) }
                    @if session.id == visitor.session.id {
                        p { b { (visit.say("session_this")) } }
                    } @else {
                        (page::form(&visit, "/sessions/end", &html! {
                            input type="hidden" name="session" value=(session.id);
                            button.quiet type="submit" { (visit.say("session_end")) }
                        }))
                    }
                }
            }
        }
        (page::form(&visit, "/sign-out-everywhere", &html! {
            button type="submit" { (visit.say("sign_out_everywhere")) }
        }))
    };
    Ok(page(&visit, &head, &body))
}

/// Ends another session of hers.
pub(super) async fn end_session(visit: Visit) -> Result<Answer> {
    visit.service().sign_out(visit.who()?, visit.form.get("session")).await?;
    Ok(Answer::to("/sessions"))
}

/// A path of the console; the home page for everything else, so that no link leads elsewhere by way of the console.
pub(super) fn inside(path: &str) -> &str {
    let is_inside = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    if is_inside { path } else { "/" }
}

/// What a browser reports of a breach of the policy of contents. It is a defect, or somebody's attempt.
#[expect(clippy::unused_async, reason = "every page is a future")]
pub(super) async fn report(visit: Visit) -> Result<Answer> {
    let (name, _) = visit.form.0.first().cloned().unwrap_or_default();
    let told: String = name.chars().filter(|c| !c.is_control()).take(500).collect();
    tracing::warn!(report = told, "a browser has refused content of the console");
    Ok(Answer::text(axum::http::StatusCode::NO_CONTENT, "text/plain", Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_back_stays_inside() {
        for good in ["/", "/rounds/r?page=1"] {
            assert_eq!(inside(good), good);
        }
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "rounds", "/a\r\nb: c"] {
            assert_eq!(inside(bad), "/", "{bad}");
        }
    }
}
