//! A client that knows nothing of the contract: it sends any bytes to any path over HTTP/2, and reads the status out of
//! the answer. For what the generated clients cannot be made to send.

use tokio::net::TcpStream;
use tonic::Status;
use tonic::codegen::Bytes;
use tonic::codegen::http::request::Builder;
use tonic::codegen::http::{HeaderMap, Request};

use crate::world::{World, soon};

/// Calls `path` with `body` as it is, and gives the status that comes back. Without a body the call stays open, and
/// nothing is ever sent.
pub(crate) async fn post(
    world: &World,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Vec<u8>>,
) -> Status {
    let mut call = Call::begin(world, path, headers).await;
    if let Some(body) = body {
        // A call that is refused by its headers may have ended before.
        drop(call.asked.send_data(Bytes::from(body), true));
    }
    status_of(call.answer).await
}

/// Calls `path` with the beginning of a body, waits until anything of an answer is there, and hangs up.
pub(crate) async fn hang_up(world: &World, path: &str, headers: &[(&str, &str)], beginning: Vec<u8>) {
    let mut call = Call::begin(world, path, headers).await;
    call.asked.send_data(Bytes::from(beginning), false).expect("sends");
    let mut answer = soon(&mut call.answer).await.expect("an answer").into_body();
    soon(answer.data()).await.expect("a message").expect("data");
}

/// An open call on a connection of its own, which is cut when the call is dropped.
struct Call {
    answer: h2::client::ResponseFuture,
    asked: h2::SendStream<Bytes>,
    _line: Line,
}

impl Call {
    async fn begin(world: &World, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut line = Line::open(world).await;
        let request = grpc(world, path, headers).body(()).expect("a request");
        let (answer, asked) = line.call(request);
        Self { answer, asked, _line: line }
    }
}

/// A connection that carries any number of calls, and is cut when it is dropped.
pub(crate) struct Line {
    sender: h2::client::SendRequest<Bytes>,
    connection: tokio::task::JoinSet<Result<(), h2::Error>>,
}

impl Line {
    pub(crate) async fn open(world: &World) -> Self {
        let stream = TcpStream::connect(world.server().address()).await.expect("connects");
        let (sender, running) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
        let mut connection = tokio::task::JoinSet::new();
        connection.spawn(running);
        Self { sender, connection }
    }

    /// Sends headers, and leaves the body open.
    pub(crate) fn call(
        &mut self,
        request: Request<()>,
    ) -> (h2::client::ResponseFuture, h2::SendStream<Bytes>) {
        self.sender.send_request(request, false).expect("sends")
    }

    /// Likewise, as soon as the service takes one more call.
    pub(crate) async fn call_when_ready(
        &mut self,
        request: Request<()>,
    ) -> Result<(h2::client::ResponseFuture, h2::SendStream<Bytes>), h2::Error> {
        let mut sender = self.sender.clone().ready().await?;
        sender.send_request(request, false)
    }

    /// Waits until the service ends the connection.
    pub(crate) async fn ended(mut self) -> Result<(), h2::Error> {
        let ended = self.connection.join_next().await.expect("a connection");
        ended.expect("the connection does not panic")
    }
}

/// The headers of a gRPC call.
pub(crate) fn grpc(world: &World, path: &str, headers: &[(&str, &str)]) -> Builder {
    let request = Request::post(format!("http://{}{path}", world.server().address()))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// The gRPC status of an answer.
pub(crate) async fn status_of(answer: h2::client::ResponseFuture) -> Status {
    let answer = soon(answer).await.expect("an answer");
    assert_eq!(answer.status(), 200, "gRPC's own errors travel over HTTP 200");
    match Status::from_header_map(answer.headers()) {
        Some(status) => status,
        None => soon(trailing(answer.into_body())).await,
    }
}

/// The status behind the answer's messages.
async fn trailing(mut body: h2::RecvStream) -> Status {
    while let Some(part) = body.data().await {
        let part = part.expect("data");
        body.flow_control().release_capacity(part.len()).expect("capacity");
    }
    let trailers: HeaderMap = body.trailers().await.expect("trailers").expect("trailers");
    Status::from_header_map(&trailers).expect("a status")
}

/// A message in its frame, uncompressed.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message").to_be_bytes();
    [&[0], &length[..], message].concat()
}
