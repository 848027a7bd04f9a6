//! Following the events of a service.

use super::connection::Client;
use super::error::Error;
use crate::api::proto::v1;

/// Follows events after `cursor`, from the oldest kept one on, or from now on. `on_message` gets each message of the stream,
/// also those without an event; its error ends the stream. The function returns when the service ends the stream.
pub async fn follow(
    client: &Client,
    cursor: &str,
    from_oldest: bool,
    mut on_message: impl FnMut(&v1::StreamEventsResponse) -> Result<(), Error>,
) -> Result<(), Error> {
    let request = v1::StreamEventsRequest { cursor: cursor.to_owned(), from_oldest };
    let mut stream = client.events.clone().stream_events(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        on_message(&message)?;
    }
    Ok(())
}
