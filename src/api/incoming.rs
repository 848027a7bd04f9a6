//! Messages of a client's stream. An error of the transport becomes the error that it stands for.

use tokio_stream::StreamExt as _;
use tonic::{Status, Streaming};

use super::status::transport_error;
use crate::domain::message::Message;
use crate::error::Error;
use crate::message;

/// The messages of a client's stream.
#[derive(Debug)]
pub(super) struct Incoming<M> {
    messages: Streaming<M>,
    max_message_bytes: usize,
}

impl<M> Incoming<M> {
    /// `max_message_bytes` is the limit that the error about an oversized message reports.
    pub(super) fn new(messages: Streaming<M>, max_message_bytes: usize) -> Self {
        Self { messages, max_message_bytes }
    }

    /// The content of the next message; `None` at the end of the stream. A message without content is refused with
    /// `expected`, which names the contents that the method takes.
    pub(super) async fn next<C>(
        &mut self,
        content: impl FnOnce(M) -> Option<C>,
        expected: &'static str,
    ) -> Result<Option<C>, Status> {
        match self.messages.next().await {
            None => Ok(None),
            Some(Ok(message)) => content(message).map(Some).ok_or_else(|| {
                let wrong = message!("is missing; send {expected}", expected = Message::from(expected));
                Error::invalid_field("content", "", wrong).into()
            }),
            Some(Err(status)) => {
                Err(transport_error(&status, self.max_message_bytes).map_or(status, Status::from))
            }
        }
    }
}
