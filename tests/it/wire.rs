//! A client that knows nothing of the contract: it sends any bytes to any path over HTTP/2, and reads the status out of
//! the answer. For what the generated clients cannot be made to send.

use tokio::net::TcpStream;
use tonic::Status;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderMap, Request};

use crate::world::{World, soon};

/// Calls `path` with `body` as it is, and gives the status that comes back. Without a body the call stays open, and
/// nothing is ever sent.
#[expect(clippy::disallowed_methods, reason = "the connection ends with the call")]
pub(crate) async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Status {
    let stream = TcpStream::connect(world.server().address()).await.expect("connects");
    let (mut sender, connection) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let mut request = Request::post(format!("http://{}{path}", world.server().address()))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (answer, mut asked) = sender.send_request(request.body(()).expect("a request"), false).expect("sends");
    if let Some(body) = body {
        asked.send_data(Bytes::from(body), true).expect("sends");
    }
    let status = soon(async {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200, "gRPC's own errors travel over HTTP 200");
        match Status::from_header_map(answer.headers()) {
            Some(status) => status,
            None => trailing(answer.into_body()).await,
        }
    });
    let status = status.await;
    drop((asked, sender));
    connection.abort();
    status
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
