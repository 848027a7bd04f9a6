//! News of a run for its live page: one stream of events (Server-Sent Events), at most two a second.
//!
//! A stream ends after a minute and the browser asks again, so that a session that has ended hears nothing more. News are texts
//! and numbers, never markup.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::answer::Answer;
use super::round::{News, missing, run_name};
use super::visit::Visit;
use crate::error::Result;
use crate::service::RunWatch;

/// Time between two pieces of news.
const PAUSE: Duration = Duration::from_millis(500);
/// Time without news after which the line shows that it lives.
const QUIET: Duration = Duration::from_secs(15);
/// Time after which the browser asks again.
const STREAM: Duration = Duration::from_mins(1);
/// How soon it asks again, for the browser.
const RETRY: &str = "retry: 500\n\n";

/// The news of a run until it ends.
pub(super) async fn news(visit: Visit) -> Result<Answer> {
    let name = run_name(&visit);
    let watching = visit.service().watch_run(visit.caller()?, &name);
    let watch = visit.read("RunService/WatchRun", watching).await.map_err(missing)?;
    let (sender, receiver) = mpsc::channel(2);
    let (tasks, stop) = (visit.house.tasks.clone(), visit.house.stop.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(STREAM) => {}
            () = tell(visit, watch, sender) => {}
        }
    });
    Ok(Answer::news(Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>))))
}

/// Sends news until the run ends or the browser leaves.
async fn tell(visit: Visit, mut watch: RunWatch, sender: mpsc::Sender<Bytes>) {
    if sender.send(Bytes::from_static(RETRY.as_bytes())).await.is_err() {
        return;
    }
    for number in 1_u64.. {
        let next = loop {
            match tokio::time::timeout(QUIET, watch.next()).await {
                Ok(next) => break next,
                Err(_) if sender.send(Bytes::from_static(b":\n\n")).await.is_err() => return,
                Err(_) => {}
            }
        };
        let Ok(Some(run)) = next else { return };
        let told = News::of(&visit, &run);
        let event = json!({
            "text": { "stage": told.stage, "updated": told.updated },
            "value": { "bar": told.share },
            "ended": run.state.is_final(),
        });
        if sender.send(Bytes::from(format!("id: {number}\ndata: {event}\n\n"))).await.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
