//! The deadline of a call, from its `grpc-timeout` header. The call and the stream that it opens share one deadline.

use std::time::Duration;

use tonic::codegen::http::HeaderMap;

use crate::clock::Stopwatch;

tokio::task_local! {
    static CURRENT: Option<Deadline>;
}

/// The moment at which a call has to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    since: Stopwatch,
    within: Duration,
}

impl Deadline {
    /// The deadline that a caller has set, if any.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        timeout(headers).map(Self::within)
    }

    /// The deadline of the call that this task serves, if it has one.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok().flatten()
    }

    /// Runs a call under its deadline, so that the call can read it.
    pub(super) fn scope<F: Future>(deadline: Option<Self>, call: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(deadline, call)
    }

    /// Waits until the deadline has passed; forever if there is none.
    pub(super) async fn passed(deadline: Option<Self>) {
        match deadline {
            Some(Self { since, within }) => {
                tokio::time::sleep(within.saturating_sub(since.elapsed())).await;
            }
            None => std::future::pending().await,
        }
    }

    fn within(within: Duration) -> Self {
        Self { since: Stopwatch::start(), within }
    }
}

/// The value of `grpc-timeout`, less a few milliseconds: the answer leaves before the client's own timer ends the call.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let whole = match unit {
        "H" => Duration::from_secs(number.saturating_mul(3_600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    };
    Some(whole.saturating_sub((whole / 10).min(Duration::from_millis(5))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_is_read_in_every_unit_and_ends_before_that_of_the_client() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().expect("a header value"));
            timeout(&headers)
        };
        assert_eq!(read("1S"), Some(Duration::from_millis(995)));
        assert_eq!(read("20m"), Some(Duration::from_millis(18)));
        assert_eq!(read("1H"), Some(Duration::from_millis(3_599_995)));
        for bad in ["", "S", "1x", "-1S", "99999999999999999999S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_call_reads_its_own_deadline_and_another_task_reads_none() {
        let deadline = Some(Deadline::within(Duration::from_millis(1)));
        assert!(Deadline::scope(deadline, async { Deadline::current() }).await.is_some());
        assert!(Deadline::current().is_none());
    }
}
