//! A client that knows nothing of the contract: it sends any bytes to any path over HTTP/2, and reads the status out of
//! the answer. For what the generated clients cannot be made to send.

use tokio::net::TcpStream;
use tonic::Status;
use tonic::codegen::Bytes;
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
        call.asked.send_data(Bytes::from(body), true).expect("sends");
    }
    let answer = soon(&mut call.answer).await.expect("an answer");
    assert_eq!(answer.status(), 200, "gRPC's own errors travel over HTTP 200");
    match Status::from_header_map(answer.headers()) {
        Some(status) => status,
        None => soon(trailing(answer.into_body())).await,
    }
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
    // Held, because the connection winds itself up when nobody can send on it any more.
    _sender: h2::client::SendRequest<Bytes>,
    _connection: tokio::task::JoinSet<Result<(), h2::Error>>,
}

impl Call {
    async fn begin(world: &World, path: &str, headers: &[(&str, &str)]) -> Self {
        let address = world.server().address();
        let stream = TcpStream::connect(address).await.expect("connects");
        let (mut sender, connection) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
        let mut running = tokio::task::JoinSet::new();
        running.spawn(connection);
        let mut request = Request::post(format!("http://{address}{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let (answer, asked) = sender.send_request(request, false).expect("sends");
        Self { answer, asked, _sender: sender, _connection: running }
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
