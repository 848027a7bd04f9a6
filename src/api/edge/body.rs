//! A request body that hands a message on only when it has arrived whole.
//!
//! Input: the frames of HTTP/2 as they arrive. Output: the same bytes, in pieces that end with a message, so that the
//! decoder behind never reserves memory for bytes that are only announced. A message that announces more than the limit
//! is refused at its header. Every byte that waits is booked in the ledger, and a message has a time limit.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::ledger::{Booking, Full};
use super::{Cause, Connection, Edge, Payer};
use crate::clock::Stopwatch;
use crate::error::Error;

/// Length of the header of a message: a flag and four bytes of length.
const HEADER: usize = 5;
/// Pieces shorter than this are copied together: each piece costs memory beside its bytes.
const SHORT: usize = 4_096;

/// The body of a request, message by message.
#[derive(Debug)]
pub(in crate::api) struct WholeMessages {
    body: Body,
    edge: Arc<Edge>,
    payer: Payer,
    booking: Booking,
    messages: Messages,
    /// Time since the consumer waits for a byte.
    waiting: Option<Stopwatch>,
    /// Time since the first byte of a message that is not whole.
    begun: Option<Stopwatch>,
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl WholeMessages {
    /// The messages of `body`, at the expense of `payer`. A message may have at most `most` bytes.
    pub(in crate::api) fn new(
        body: Body,
        most: usize,
        edge: &Arc<Edge>,
        payer: Payer,
        connection: &Arc<Connection>,
    ) -> Self {
        let booking = edge.ledger().book(payer.clone(), Arc::clone(connection));
        let messages = Messages { most, ..Messages::default() };
        let edge = Arc::clone(edge);
        Self { body, edge, payer, booking, messages, waiting: None, begun: None, timer: None, ended: false }
    }

    /// Takes bytes in that have arrived.
    fn take_in(&mut self, bytes: Bytes) -> Result<(), Status> {
        self.waiting = None;
        self.booking.add(bytes.len()).map_err(|full| match full {
            Full::Share => self.refuse(Cause::Share, Error::Overloaded("caller")),
            Full::Connection => self.refuse(Cause::ConnectionBytes, Error::Overloaded("connection")),
        })?;
        let whole = self.messages.whole.len();
        if let Err(TooLarge) = self.messages.take_in(bytes) {
            let error = Error::MessageTooLarge { limit_bytes: self.messages.most };
            return Err(self.refuse(Cause::MessageTooLarge, error));
        }
        if self.messages.partial_bytes == 0 {
            self.begun = None;
        } else if self.begun.is_none() || self.messages.whole.len() > whole {
            self.begun = Some(Stopwatch::start());
        }
        Ok(())
    }

    /// Pending as long as the message may still arrive in time.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        loop {
            let limits = self.edge.limits();
            let silence = self.waiting.get_or_insert_with(Stopwatch::start).elapsed();
            let left = limits.silence.saturating_sub(silence);
            let left = match &self.begun {
                Some(begun) => left.min(limits.message.saturating_sub(begun.elapsed())),
                None => left,
            };
            if left.is_zero() {
                let limit = if silence >= limits.silence { limits.silence } else { limits.message };
                let seconds = limit.as_secs();
                return Poll::Ready(self.refuse(Cause::ReceiveTimeout, Error::ReceiveTimeout { seconds }));
            }
            // The timer may be older than the wait: it is only asked to wake this task in time.
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.timer = Some(Box::pin(tokio::time::sleep(left.max(Duration::from_millis(1)))));
        }
    }

    /// Ends the body with an error, and gives its memory back.
    fn refuse(&mut self, cause: Cause, error: Error) -> Status {
        self.edge.refusals().record(cause, &self.payer);
        self.ended = true;
        self.messages = Messages::default();
        self.booking.keep(0);
        error.into()
    }
}

impl HttpBody for WholeMessages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.messages.whole.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            // The consumer has taken in what it was given, and asks for more.
            this.booking.keep(this.messages.partial_bytes);
            if this.ended {
                return Poll::Ready(None);
            }
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => {
                        if let Err(status) = this.take_in(bytes) {
                            return Poll::Ready(Some(Err(status)));
                        }
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Ready(Some(Err(status))) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(status)));
                }
                Poll::Ready(None) => {
                    // What is left is the beginning of a message, which the decoder reports as cut off.
                    this.ended = true;
                    this.messages.cut_off();
                }
                Poll::Pending => match this.wait(context) {
                    Poll::Ready(status) => return Poll::Ready(Some(Err(status))),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = self.messages.whole.is_empty() && self.messages.partial_bytes == 0;
        is_empty && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A message announces more bytes than the limit.
#[derive(Debug, PartialEq, Eq)]
struct TooLarge;

/// Bytes cut into whole messages.
#[derive(Debug, Default)]
struct Messages {
    most: usize,
    /// Bytes up to the end of the last whole message.
    whole: VecDeque<Bytes>,
    /// The beginning of a message.
    partial: VecDeque<Bytes>,
    /// The end of `partial`, copied together from short pieces.
    short: BytesMut,
    partial_bytes: usize,
    header: [u8; HEADER],
    /// Bytes of the header that have arrived.
    header_bytes: usize,
    /// Bytes of the message that are missing; meaningful with a whole header.
    missing: usize,
}

impl Messages {
    fn take_in(&mut self, mut bytes: Bytes) -> Result<(), TooLarge> {
        let (mut at, mut end) = (0, 0);
        while at < bytes.len() {
            if self.header_bytes < HEADER {
                let more = (HEADER - self.header_bytes).min(bytes.len() - at);
                self.header[self.header_bytes..self.header_bytes + more]
                    .copy_from_slice(&bytes[at..at + more]);
                self.header_bytes += more;
                at += more;
                if self.header_bytes < HEADER {
                    break;
                }
                let [_, length @ ..] = self.header;
                self.missing = usize::try_from(u32::from_be_bytes(length)).map_err(|_| TooLarge)?;
                if self.missing > self.most {
                    return Err(TooLarge);
                }
            }
            let more = self.missing.min(bytes.len() - at);
            self.missing -= more;
            at += more;
            if self.missing == 0 {
                self.header_bytes = 0;
                end = at;
            }
        }
        if end > 0 {
            self.cut_off();
            self.whole.push_back(bytes.split_to(end));
        }
        self.keep(bytes);
        Ok(())
    }

    /// Passes on the beginning of a message.
    fn cut_off(&mut self) {
        self.whole.append(&mut self.partial);
        if !self.short.is_empty() {
            self.whole.push_back(self.short.split().freeze());
        }
        self.partial_bytes = 0;
    }

    /// Keeps bytes of a message that is not whole.
    fn keep(&mut self, bytes: Bytes) {
        self.partial_bytes += bytes.len();
        if bytes.len() >= SHORT {
            if !self.short.is_empty() {
                self.partial.push_back(self.short.split().freeze());
            }
            self.partial.push_back(bytes);
        } else {
            self.short.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).expect("short").to_be_bytes();
        [&[0], &length[..], message].concat()
    }

    fn messages(most: usize) -> Messages {
        Messages { most, ..Messages::default() }
    }

    #[test]
    fn an_announcement_alone_takes_no_memory_and_one_above_the_limit_is_refused() {
        let mut within = messages(4 << 20);
        within.take_in(Bytes::copy_from_slice(&[0, 0, 0x40, 0, 0])).expect("is within the limit");
        assert!(within.whole.is_empty());
        assert!((within.partial_bytes, within.short.capacity()) <= (HEADER, 64));
        let mut beyond = messages(4 << 20);
        assert_eq!(beyond.take_in(Bytes::copy_from_slice(&[0, 0, 0x40, 0, 1])), Err(TooLarge));
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_give_the_same_bytes_and_never_a_message_in_part(
            lengths in prop::collection::vec(0_usize..9_000, 0..6),
            cuts in prop::collection::vec(1_usize..6_000, 1..40),
        ) {
            let all: Vec<u8> = lengths.iter().flat_map(|length| frame(&vec![7; *length])).collect();
            let ends: Vec<usize> = lengths.iter().scan(0, |end, length| {
                *end += HEADER + length;
                Some(*end)
            }).collect();
            let (mut read, mut given, mut rest) = (messages(9_000), Vec::new(), Bytes::from(all.clone()));
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(*cuts.next().expect("a cycle")));
                read.take_in(piece).expect("is within the limit");
                given.extend(read.whole.drain(..).flat_map(Vec::from));
                prop_assert!(given.is_empty() || ends.contains(&given.len()));
                prop_assert_eq!(given.len() + read.partial_bytes, all.len() - rest.len());
            }
            prop_assert_eq!(given, all);
        }
    }
}
