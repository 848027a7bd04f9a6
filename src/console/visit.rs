//! A request to the console: who asks, for what, in which language, and what she has typed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::caller::Caller;
use crate::domain::grant::Role;
use crate::domain::vocabulary::Lang;
use crate::error::{Error, Result};
use crate::service::{Action, AuditedEnd, Change, PageRequest, Service, Visitor};
use crate::wording;

/// Items of a page of a list.
const ITEMS: i32 = 50;

/// How the console is reached and opened.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    /// The origin under which browsers reach it; empty for the address of the listener itself.
    pub origin: String,
    /// Whether browsers reach it by TLS.
    pub has_tls: bool,
    /// Whether it takes an API token in place of a passkey.
    pub token_sign_in: bool,
}

/// What all requests share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) service: Service,
    pub(super) options: ConsoleOptions,
    /// The tasks of live pages.
    pub(super) tasks: TaskTracker,
    /// The server stops: live pages end.
    pub(super) stop: CancellationToken,
}

/// Names with values: of a path, a query or a form. A name may come several times.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// Reads what a browser sends as `application/x-www-form-urlencoded`.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let read = form_urlencoded::parse(bytes);
        Self(read.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a name; empty without one.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether a value of the name was sent.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// `?a=1&b=2` with `change` in place of the present values of its names; a name without a value is left out.
    pub(super) fn with(&self, change: &[(&str, &str)]) -> String {
        let kept = self.0.iter().filter(|(name, _)| change.iter().all(|(other, _)| name != other));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut written = form_urlencoded::Serializer::new(String::new());
        for (name, value) in kept.chain(change.iter().copied()).filter(|(_, value)| !value.is_empty()) {
            written.append_pair(name, value);
        }
        match written.finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        }
    }
}

/// A request with all that a page needs to answer it.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) house: Arc<House>,
    /// Who asks; `None` for somebody who has not signed in.
    pub(super) visitor: Option<Visitor>,
    pub(super) lang: Lang,
    pub(super) now: Timestamp,
    /// Names the request in the log and on the page of an error.
    pub(super) id: String,
    /// Lets the scripts of the page run, and no others.
    pub(super) nonce: String,
    pub(super) path: Fields,
    pub(super) query: Fields,
    pub(super) form: Fields,
    /// Path and query, to come back to.
    pub(super) here: String,
    /// Why the form that she sent was refused; the page shows it with all that she has typed.
    pub(super) problem: Option<Error>,
}

impl Visit {
    /// The same request, before anything was answered.
    pub(super) fn without_problem(&self) -> Self {
        Self {
            house: Arc::clone(&self.house),
            visitor: self.visitor.clone(),
            lang: self.lang,
            now: self.now,
            id: self.id.clone(),
            nonce: self.nonce.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            form: self.form.clone(),
            here: self.here.clone(),
            problem: None,
        }
    }

    /// The use cases.
    pub(super) fn service(&self) -> &Service {
        &self.house.service
    }

    /// Who asks. Fails with `Unauthenticated` for somebody who has not signed in.
    pub(super) fn who(&self) -> Result<&Visitor> {
        self.visitor.as_ref().ok_or(Error::Unauthenticated)
    }

    /// Who asks, as the use cases take her.
    pub(super) fn caller(&self) -> Result<&Caller> {
        Ok(&self.who()?.caller)
    }

    /// Whether she acts in a role of this name.
    pub(super) fn acts_as(&self, name: &str) -> bool {
        let role = |visitor: &Visitor| visitor.caller.roles.iter().any(|role| role.as_str() == name);
        self.visitor.as_ref().is_some_and(role)
    }

    /// Whether she acts as a coordinator.
    pub(super) fn is_coordinator(&self) -> bool {
        self.acts_as(Role::COORDINATOR)
    }

    /// A text of the console.
    pub(super) fn say(&self, key: &str) -> &'static str {
        wording::text(&format!("console.{key}"), self.lang)
    }

    /// A text of the console with values in it.
    pub(super) fn fill(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        wording::fill(&format!("console.{key}"), self.lang, values)
    }

    /// What she has typed into a field; `usual` before she has sent the form.
    pub(super) fn typed<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        if self.form.has(name) { self.form.get(name) } else { usual }
    }

    /// A `request_id` for a form: made when the page is rendered, so that a form that is sent twice has one effect. A form that
    /// was refused keeps its own while the refusal may have come too late to be believed.
    pub(super) fn request_id(&self) -> String {
        let kept = matches!(self.problem, Some(Error::StoreUnavailable(_) | Error::Overloaded(_)));
        match self.form.get("request_id") {
            sent if kept && !sent.is_empty() => sent.to_owned(),
            _ => self.service().clock().new_id().to_string(),
        }
    }

    /// How the form asks for its change.
    pub(super) fn change(&self) -> Change<'_> {
        Change { request_id: self.form.get("request_id"), validate_only: false }
    }

    /// The page of a list that the query asks for.
    pub(super) fn page_request(&self) -> PageRequest {
        PageRequest { size: ITEMS, token: self.query.get("page").to_owned() }
    }

    /// Reads through a use case, and lets the audit know of it as of a call of the method.
    pub(super) async fn read<T>(
        &self,
        method: &'static str,
        reading: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let read = reading.await;
        let caller = self.visitor.as_ref().map(|visitor| &visitor.caller);
        match &read {
            Ok(_) if Action::of_method(method).is_some_and(Action::is_summed) => {
                self.service().sum_call(caller, method, AuditedEnd::Read);
            }
            Err(Error::PermissionDenied { .. }) => {
                self.service().sum_call(caller, method, AuditedEnd::Refused("PERMISSION_DENIED"));
            }
            Err(Error::NotFound(_)) => {
                self.service().sum_call(caller, method, AuditedEnd::Refused("NOT_FOUND"));
            }
            Ok(_) | Err(_) => {}
        }
        read
    }

    /// The handles of principals, as far as the role in which she acts may know them.
    pub(super) async fn handles(&self, ids: BTreeSet<&str>) -> Result<BTreeMap<String, String>> {
        self.service().handles(self.who()?, ids).await
    }
}
