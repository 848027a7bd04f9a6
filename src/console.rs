//! The console: web pages by which the people of a round run it without a terminal. Served on a listener of its own.
//!
//! A page calls the use cases of `service`, as `api` does, and decides nothing of its own. Every control is a link or a form, so
//! that all of it works without a script. [`ROUTES`] is the list of the pages; a page is a file.
//!
//! Invariants:
//!
//! - A session names who asks; `service::permission` decides what she may do. A foreign thing answers as a missing one.
//! - Only a form of the console itself changes something (`guard`), and a form that is sent twice changes it once
//!   (`request_id`). A form that is refused comes back with all that was typed.
//! - The browser runs the one script of the console, loads nothing from elsewhere, and stores nothing.

mod answer;
mod assets;
mod decisions;
mod diagnosis;
mod enrolment;
mod guard;
mod home;
mod live;
mod mentorships;
mod page;
mod pair;
mod review;
mod round;
mod sign_in;
mod submission;
mod unmatched;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, on};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use self::answer::Answer;
use self::visit::{Fields, House, Visit};
use crate::error::{Error, Result, chain};
use crate::service::Service;

pub use self::visit::ConsoleOptions;

/// Bytes of a form.
const FORM_BYTES: usize = 256 * 1024;
/// Time for the body of a form, and for the whole answer.
const ANSWER: Duration = Duration::from_mins(1);

type Answering = std::pin::Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Whoever has signed in; the use cases decide what she may do.
    SignedIn,
    /// Everybody.
    Anyone,
    /// Browsers, which report without a page.
    Browser,
}

/// A page, or a form of one.
struct Route {
    method: MethodFilter,
    path: &'static str,
    access: Access,
    answer: fn(Visit) -> Answering,
    /// The page that shows a form again that was refused.
    again: Option<fn(Visit) -> Answering>,
}

macro_rules! routes {
    ($($access:ident $method:ident $path:literal $page:ident::$answer:ident $(or $again:ident)?;)+) => {
        &[$(Route {
            method: MethodFilter::$method,
            path: $path,
            access: Access::$access,
            answer: |visit| Box::pin($page::$answer(visit)),
            again: routes!(@again $page $($again)?),
        }),+]
    };
    (@again $page:ident) => { None };
    (@again $page:ident $again:ident) => { Some(|visit| Box::pin($page::$again(visit))) };
}

/// All pages and forms. `or` names the page that shows a refused form again.
static ROUTES: &[Route] = routes! {
    Anyone GET "/sign-in" sign_in::show;
    Anyone POST "/sign-in" sign_in::enter or show;
    SignedIn POST "/sign-out" sign_in::leave;
    SignedIn POST "/sign-out-everywhere" sign_in::leave_everywhere;
    SignedIn POST "/act-as" sign_in::act_as;
    SignedIn GET "/sessions" sign_in::sessions;
    SignedIn POST "/sessions/end" sign_in::end_session or sessions;
    Browser POST "/csp-report" sign_in::report;
    SignedIn GET "/" home::show;
    SignedIn GET "/rounds/{round}" round::show;
    SignedIn POST "/rounds/{round}/runs" round::start_run or show;
    SignedIn POST "/rounds/{round}/cancel-run" round::cancel_run or show;
    SignedIn GET "/rounds/{round}/runs/{run}/news" live::news;
    SignedIn GET "/rounds/{round}/runs/{run}/review" review::show;
    SignedIn POST "/rounds/{round}/runs/{run}/review/mark" review::mark or show;
    SignedIn GET "/rounds/{round}/runs/{run}/matches/{match}" pair::show;
    SignedIn POST "/rounds/{round}/runs/{run}/matches/{match}/decide" pair::decide or show;
    SignedIn POST "/rounds/{round}/runs/{run}/matches/{match}/comment" pair::comment or show;
    SignedIn GET "/rounds/{round}/runs/{run}/unmatched" unmatched::show;
    SignedIn GET "/rounds/{round}/decisions" decisions::show;
    SignedIn POST "/rounds/{round}/release" decisions::release or show;
    SignedIn GET "/rounds/{round}/diagnosis" diagnosis::show;
    SignedIn GET "/rounds/{round}/enrolment" enrolment::show;
    SignedIn POST "/rounds/{round}/enrolment" enrolment::enrol or show;
    SignedIn GET "/rounds/{round}/mentorships" mentorships::show;
    SignedIn POST "/rounds/{round}/mentorships/answer" mentorships::answer or show;
    SignedIn POST "/rounds/{round}/mentorships/meeting" mentorships::meeting or show;
    SignedIn GET "/rounds/{round}/submission" submission::show;
    SignedIn POST "/rounds/{round}/submit" submission::submit or show;
    SignedIn POST "/rounds/{round}/approve" submission::approve or show;
    SignedIn POST "/rounds/{round}/reject" submission::reject or show;
    SignedIn POST "/rounds/{round}/publish" submission::publish or show;
    SignedIn POST "/rounds/{round}/unpublish" submission::unpublish or show;
};

/// The console. Clones share everything.
#[derive(Debug, Clone)]
pub struct Console(Router);

impl Console {
    /// The console over the use cases. `tasks` waits for live pages, which end at `stop`.
    pub fn new(
        service: Service,
        options: ConsoleOptions,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let house = Arc::new(House { service, options, tasks, stop });
        let mut router = Router::new();
        for route in ROUTES {
            let house = Arc::clone(&house);
            let answering = move |params: RawPathParams, request: Request| {
                let house = Arc::clone(&house);
                async move { Box::pin(answer(house, route, &params, request)).await }
            };
            router = router.route(route.path, on(route.method, answering));
        }
        let missing = house;
        router = router.fallback(move |request: Request| {
            let house = Arc::clone(&missing);
            let (parts, _) = request.into_parts();
            async move { answer_elsewhere(&house, &parts).await }
        });
        Self(router)
    }

    /// Answers a request.
    pub async fn answer<B>(&self, request: axum::http::Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let mut router = self.0.clone();
        // The router is always ready, and its error is no error.
        let answered = tokio::time::timeout(ANSWER, router.call(request.map(Body::new))).await;
        match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        }
    }
}

/// Answers a request to a page or to a form of one.
async fn answer(
    house: Arc<House>,
    route: &'static Route,
    params: &RawPathParams,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let is_change = parts.method == Method::POST;
    let mut visit = match visit_of(&house, &parts).await {
        Ok(visit) => visit,
        Err(error) => {
            tracing::warn!(error = chain(&error), "a page of the console could not be begun");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    visit.path = Fields(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let (nonce, headers) = (visit.nonce.clone(), parts.headers.clone());
    let is_browser = route.access == Access::Browser;
    if is_change && !is_browser && !guard::is_from_here(&parts.headers, &parts.uri, &house.options) {
        tracing::warn!(path = route.path, "a form that is not of the console was refused");
        return finish(&house, &nonce, &headers, page::foreign_form(&visit));
    }
    if is_change {
        let Ok(bytes) = axum::body::to_bytes(body, FORM_BYTES).await else {
            let error = Error::MessageTooLarge { limit_bytes: FORM_BYTES };
            return finish(&house, &nonce, &headers, page::failed(&visit, &error));
        };
        visit.form = Fields::parse(&bytes);
    }
    let answered = Box::pin(answer_in(route, visit, is_change)).await;
    finish(&house, &nonce, &headers, answered)
}

/// The answer of a page to a request that may be answered.
async fn answer_in(route: &'static Route, visit: Visit, is_change: bool) -> Answer {
    if route.access == Access::SignedIn {
        let Some(visitor) = &visit.visitor else {
            if is_change {
                return page::send_again(&visit, visit.say("again_ended"), true);
            }
            let next = Fields::default().with(&[("next", &visit.here)]);
            return Answer::to(format!("/sign-in{next}"));
        };
        let grant = visit.form.get("grant");
        let is_of_another_role = !grant.is_empty() && grant != visitor.session.grant;
        if is_change && is_of_another_role && route.path != "/act-as" {
            return page::send_again(&visit, visit.say("again_role"), false);
        }
    }
    // What a page of an error needs, should the page itself fail.
    let spare = visit.without_problem();
    let again = visit.without_problem();
    let error = match (route.answer)(visit).await {
        Ok(answered) => return answered,
        Err(error) => error,
    };
    log(&error, &spare.id, route.path);
    if let Some(show) = route.again {
        return match show(Visit { problem: Some(error), ..again }).await {
            Ok(answered) => answered,
            Err(error) => page::failed(&spare, &error),
        };
    }
    page::failed(&spare, &error)
}

/// A request to no page: a file of the console, or nothing.
async fn answer_elsewhere(house: &Arc<House>, parts: &Parts) -> Response<Body> {
    if let Some(asset) = assets::find(parts.uri.path()).filter(|_| parts.method == Method::GET) {
        return finish(house, "none", &parts.headers, Answer::asset(asset.kind, asset.bytes));
    }
    match visit_of(house, parts).await {
        Ok(visit) => {
            let error = Error::NotFound(String::new());
            finish(house, &visit.nonce, &parts.headers, page::failed(&visit, &error))
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn finish(house: &House, nonce: &str, request: &HeaderMap, answered: Answer) -> Response<Body> {
    let mut response = answered.into_response(request);
    guard::protect(response.headers_mut(), nonce, &house.options);
    response
}

/// Who asks, and how. A language in the query is the language from now on.
async fn visit_of(house: &Arc<House>, parts: &Parts) -> Result<Visit> {
    let service = &house.service;
    let visitor = match guard::cookie(&parts.headers, &house.options) {
        Some(secret) => match service.visitor(&secret).await {
            Err(Error::Unauthenticated) => None,
            visitor => Some(visitor?),
        },
        None => None,
    };
    let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let chosen = Some(query.get("lang")).filter(|tag| !tag.is_empty());
    let chosen = chosen.and_then(crate::domain::vocabulary::Lang::from_tag);
    if let (Some(lang), Some(visitor)) = (chosen, &visitor)
        && lang != visitor.session.lang
    {
        service.speak(visitor, lang).await?;
    }
    let held = visitor.as_ref().map(|visitor| visitor.session.lang);
    let lang = chosen.or(held).unwrap_or_else(|| guard::preferred_lang(&parts.headers));
    let mut nonce = [0; 16];
    service.clock().fill(&mut nonce);
    let here = format!("{}{}", parts.uri.path(), query.with(&[("lang", "")]));
    Ok(Visit {
        house: Arc::clone(house),
        visitor,
        lang,
        now: service.clock().now(),
        id: service.clock().new_id().to_string(),
        nonce: hex::encode(nonce),
        path: Fields::default(),
        query,
        form: Fields::default(),
        here,
        problem: None,
    })
}

/// A defect is an error of the log; what a reader can mend is not.
fn log(error: &Error, id: &str, path: &str) {
    if matches!(error, Error::Internal(..)) {
        tracing::error!(request.id = id, path, error = chain(error), "a page of the console failed");
    } else {
        let code = error.reason().code();
        tracing::debug!(request.id = id, path, error.r#type = code, "a request to the console was refused");
    }
}

#[cfg(test)]
mod tests;
