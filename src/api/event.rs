//! EventService.

use tonic::{Request, Response, Status};

use super::auth::caller_of;
use super::convert::{etag, timestamp};
use super::proto::v1;
use super::proto::v1::event_service_server::EventService;
use super::streams::{Answers, Streams};
use crate::domain::event::{Event, EventKind};
use crate::error::Error;
use crate::service::Service;

/// Serves events.
#[derive(Debug, Clone)]
pub struct EventApi {
    /// The use cases.
    pub service: Service,
    /// The streams of the server.
    pub streams: Streams,
}

#[tonic::async_trait]
impl EventService for EventApi {
    type StreamEventsStream = Answers<v1::StreamEventsResponse>;

    async fn stream_events(
        &self,
        request: Request<v1::StreamEventsRequest>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let caller = caller_of(&request)?;
        let v1::StreamEventsRequest { cursor, from_oldest } = request.into_inner();
        let mut feed = self.service.stream_events(&caller, &cursor, from_oldest).await?;
        // One message waits for a slow reader; the feed holds no more than a window of events.
        Ok(self.streams.answer(1, async move |answers| {
            loop {
                let delivery = tokio::select! {
                    delivery = feed.next() => delivery?,
                    () = answers.closed() => return Err(Error::Cancelled.into()),
                };
                let event = delivery.event.as_ref().map(message);
                answers.send(v1::StreamEventsResponse { event, cursor: delivery.cursor }).await?;
            }
        }))
    }
}

fn message(event: &Event) -> v1::Event {
    v1::Event {
        name: event.name.clone(),
        kind: kind(event.kind) as i32,
        etag: event.version.map(etag).unwrap_or_default(),
        event_time: Some(timestamp(event.time)),
    }
}

fn kind(kind: EventKind) -> v1::EventKind {
    match kind {
        EventKind::Created => v1::EventKind::Created,
        EventKind::Changed => v1::EventKind::Changed,
        EventKind::Deleted => v1::EventKind::Deleted,
        EventKind::ProfilesChanged => v1::EventKind::ProfilesChanged,
        EventKind::EnrolmentsChanged => v1::EventKind::EnrolmentsChanged,
        EventKind::RunStarted => v1::EventKind::RunStarted,
        EventKind::RunSucceeded => v1::EventKind::RunSucceeded,
        EventKind::RunFailed => v1::EventKind::RunFailed,
        EventKind::RunCancelled => v1::EventKind::RunCancelled,
        EventKind::RunSubmitted => v1::EventKind::RunSubmitted,
        EventKind::RunApproved => v1::EventKind::RunApproved,
        EventKind::RunRejected => v1::EventKind::RunRejected,
        EventKind::RunPublished => v1::EventKind::RunPublished,
        EventKind::RunUnpublished => v1::EventKind::RunUnpublished,
        EventKind::RunCallsForRepair => v1::EventKind::RunCallsForRepair,
        EventKind::AnswerOverdue => v1::EventKind::AnswerOverdue,
        EventKind::FirstMeetingOverdue => v1::EventKind::FirstMeetingOverdue,
        EventKind::CheckInDue => v1::EventKind::CheckInDue,
        EventKind::ConsultationClosed => v1::EventKind::ConsultationClosed,
        EventKind::ConsultationAnswered => v1::EventKind::ConsultationAnswered,
    }
}
