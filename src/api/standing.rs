//! The standing of a caller: a stream of answers goes on for as long as its caller may open it. A revoked credential and an
//! ended role end the stream within a second, on every replica.

use std::time::Duration;

use jiff::Timestamp;
use tonic::codegen::http::HeaderMap;

use crate::domain::caller::Caller;
use crate::domain::credential::Presented;
use crate::domain::grant::{InvalidRole, Role};
use crate::error::{Error, Reason, Result};
use crate::service::Service;

/// Time between two looks. With the time of a look it stays below one second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The header in which a caller names the one role that a call is made in, as `role` or `role@organisation`.
const ACTING_AS: &str = "wim-acting-as";

/// The caller, narrowed to the role that the headers name, if they name one.
///
/// Fails with `InvalidFields` for what is no role, and with `NotFound` for a role that she does not hold, whether or not its
/// organisation exists.
pub(super) fn narrowed(caller: Caller, headers: &HeaderMap) -> Result<Caller> {
    let mut named = headers.get_all(ACTING_AS).iter();
    let Some(first) = named.next() else { return Ok(caller) };
    let text = first.to_str().unwrap_or_default();
    if named.next().is_some() {
        return Err(Error::invalid_field(
            ACTING_AS,
            text,
            "is one of several headers of this name; send one",
        ));
    }
    let role: Role =
        text.parse().map_err(|wrong: InvalidRole| Error::invalid_field(ACTING_AS, text, wrong.message()))?;
    caller.acting_as(&role).ok_or_else(|| Error::NotFound(format!("role {role}")))
}

tokio::task_local! {
    static CURRENT: Option<Standing>;
}

/// Who a call was admitted for, and by what.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// The use cases, which authenticate the caller again.
    pub(super) service: Service,
    /// What the caller has shown.
    pub(super) presented: Presented,
    /// The moment at which it ends by itself, if it tells, as a JWT does.
    pub(super) until: Option<Timestamp>,
    /// The caller as she was admitted.
    pub(super) caller: Caller,
}

impl Standing {
    /// The standing of the caller of the call that this task serves; `None` for a call without a caller.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok().flatten()
    }

    /// Runs a call, so that the call can read the standing of its caller.
    pub(super) fn scope<F: Future>(standing: Option<Self>, call: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(standing, call)
    }

    /// Waits until the credential opens nothing any more, or a role that the call began with has ended; forever for a call
    /// without a caller. An unreachable database changes nothing: the work of the stream meets it too.
    pub(super) async fn lost(standing: Option<Self>) -> Error {
        let Some(Self { service, presented, until, caller }) = standing else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if until.is_some_and(|until| until <= service.clock().now()) {
                return Error::Unauthenticated;
            }
            match service.authenticate(&presented).await {
                Ok(now) if caller.roles.iter().all(|role| now.roles.contains(role)) => {}
                Err(error) if error.reason() != Reason::Unauthenticated => {}
                Ok(_) | Err(_) => return Error::Unauthenticated,
            }
        }
    }
}
