//! What a peer costs: attacks in small, each beside another caller who is served, and with counters that return to zero.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::codegen::Bytes;
use tonic::codegen::http::{Method, Request};
use wim_match::api::proto::v1;
use wim_match::api::{Cause, Counts};
use wim_match::config::{Config, Proxy};

use crate::refusal::{reason, refused};
use crate::wire::{Line, frame, grpc, post, status_of};
use crate::world::{World, soon};

const GET_ROUND: &str = "/wim.mentorship.v1.RoundService/GetRound";
const SOLVE_STREAM: &str = "/wim.mentorship.v1.SolverService/SolveStream";
const WATCH_HEALTH: &str = "/grpc.health.v1.Health/Watch";
/// The header of a message of 4 MiB.
const ANNOUNCED: &[u8] = &[0, 0, 0x40, 0, 0];
/// The beginning of every HTTP/2 connection, with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Waits until the numbers of the edge are as they should be.
async fn until(world: &World, what: &str, is_so: impl Fn(&Counts) -> bool) {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while !is_so(&world.server().counts()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: {:?}", world.server().counts());
}

/// Ends a story: the peers have left, and at most the connection of the world's own clients is open.
async fn left(world: World) {
    until(&world, "the counters return to zero", |counts| {
        counts.connections <= 1
            && (counts.strangers <= 1 && counts.calls == 0 && counts.unnamed_calls == 0)
            && (counts.bytes == 0 && counts.payers == 0)
    })
    .await;
    world.stop().await;
}

/// Another caller is served.
async fn is_served(world: &World) {
    let mut coordinator = world.coordinator();
    soon(coordinator.rounds.list_rounds(v1::ListRoundsRequest::default()))
        .await
        .expect("another caller is served");
}

fn bearer(world: &World) -> String {
    format!("Bearer {}", world.coordinator_token())
}

/// Small bounds of bytes: a message of 64 KiB, 256 KiB in all.
fn small(config: &mut Config) {
    config.max_message_bytes = 64 << 10;
    config.max_bytes_in_flight = 256 << 10;
    config.max_bytes_per_connection = 96 << 10;
    unhurried(config);
}

/// Time enough for messages on the slowest machine.
fn unhurried(config: &mut Config) {
    config.message_seconds = 3_600;
    config.silence_seconds = 3_600;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_by_its_headers_and_holds_no_byte() {
    let world = World::sqlite().await;
    let mut line = Line::open(&world).await;
    let mut calls = Vec::new();
    for _ in 0..30 {
        let request = grpc(&world, GET_ROUND, &[]).body(()).expect("a request");
        let (answer, mut asked) = soon(line.call_when_ready(request)).await.expect("is taken");
        // The answer may come before these bytes leave.
        drop(asked.send_data(Bytes::from_static(ANNOUNCED), false));
        calls.push((answer, asked));
    }
    for (answer, _asked) in calls {
        assert_eq!(reason(&status_of(answer).await), "UNAUTHENTICATED");
    }
    let counts = world.server().counts();
    assert_eq!((counts.bytes, counts.payers), (0, 0));
    assert_eq!(counts.refused_for(Cause::Credential), 30);
    is_served(&world).await;
    drop(line);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announced_bytes_of_a_caller_cost_nothing_until_they_arrive() {
    let world = World::sqlite_with(unhurried).await;
    let bearer = bearer(&world);
    let mut line = Line::open(&world).await;
    let mut calls = Vec::new();
    for _ in 0..200 {
        let request = grpc(&world, GET_ROUND, &[("authorization", &bearer)]).body(()).expect("a request");
        let (answer, mut asked) = soon(line.call_when_ready(request)).await.expect("is taken");
        asked.send_data(Bytes::from_static(ANNOUNCED), false).expect("sends");
        calls.push((answer, asked));
    }
    until(&world, "five bytes of each of the calls are held", |counts| {
        (counts.calls, counts.bytes, counts.payers) == (200, 1_000, 1)
    })
    .await;
    is_served(&world).await;
    drop((calls, line));
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_holds_at_most_a_share_of_all_bytes_and_another_caller_finds_room() {
    let world = World::sqlite_with(small).await;
    let bearer = bearer(&world);
    let part = [&[0], &(64_u32 << 10).to_be_bytes()[..], &vec![0; 60 << 10]].concat();
    let mut held = Vec::new();
    for (bytes, refused) in [(part.len(), 0), (2 * part.len(), 0), (2 * part.len(), 1), (2 * part.len(), 2)] {
        // Two of them are more than a connection may hold, so each comes on a connection of its own.
        let mut line = Line::open(&world).await;
        let request = grpc(&world, GET_ROUND, &[("authorization", &bearer)]).body(()).expect("a request");
        let (answer, mut asked) = line.call(request);
        asked.send_data(Bytes::from(part.clone()), false).expect("sends");
        until(&world, "two of four fit", |counts| {
            (counts.bytes, counts.refused_for(Cause::Share)) == (bytes, refused)
        })
        .await;
        if refused > 0 {
            assert_eq!(reason(&status_of(answer).await), "OVERLOADED");
        }
        held.push((line, asked));
    }
    // What a new caller sends fits beside it.
    let peru = world.manager("wim-peru").await;
    let request = v1::GetRoundRequest { name: "x".repeat(60 << 10) };
    assert_eq!(refused(peru.client.clone().rounds.get_round(request).await), "INVALID_FIELDS");
    drop(held);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_holds_at_most_its_bytes_and_the_refusal_says_when_to_try_again() {
    let world = World::sqlite_with(small).await;
    let bearer = bearer(&world);
    let part = [&[0], &(64_u32 << 10).to_be_bytes()[..], &vec![0; 60 << 10]].concat();
    let mut line = Line::open(&world).await;
    let mut call = || {
        let request = grpc(&world, GET_ROUND, &[("authorization", &bearer)]).body(()).expect("a request");
        let (answer, mut asked) = line.call(request);
        asked.send_data(Bytes::from(part.clone()), false).expect("sends");
        (answer, asked)
    };
    let first = call();
    until(&world, "the first part has arrived", |counts| counts.bytes == part.len()).await;
    let (second, asked) = call();
    assert_eq!(reason(&status_of(second).await), "OVERLOADED");
    assert_eq!(world.server().counts().refused_for(Cause::ConnectionBytes), 1);
    drop((first, asked, line));
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_call_is_closed() {
    let world = World::sqlite_with(|config| config.first_call_seconds = 1).await;
    is_served(&world).await;
    // A header of a call that never ends: one byte of a block of 100.
    let trickle = [PREFACE, b"\0\0\x64\x01\0\0\0\0\x01\x82"].concat();
    for beginning in [b"".as_slice(), b"GET / HT", PREFACE, &trickle] {
        let mut stream = TcpStream::connect(world.server().address()).await.expect("connects");
        stream.write_all(beginning).await.expect("sends");
        // Both ways to end are right: with or without a word of HTTP/2.
        let mut rest = Vec::new();
        drop(soon(stream.read_to_end(&mut rest)).await);
    }
    // All but the one that speaks another protocol, which ends at once.
    assert_eq!(world.server().counts().refused_for(Cause::NoFirstCall), 3);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_if_it_has_named_no_caller() {
    let world = World::sqlite_with(|config| config.idle_seconds = 1).await;
    is_served(&world).await;
    let mut line = Line::open(&world).await;
    let request = grpc(&world, GET_ROUND, &[]).body(()).expect("a request");
    assert_eq!(reason(&status_of(line.call(request).0).await), "UNAUTHENTICATED");
    drop(soon(line.ended()).await);
    assert_eq!(world.server().counts().refused_for(Cause::Idle), 1);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_of_one_address_give_way_and_known_callers_of_it_get_in() {
    let world = World::sqlite_with(|config| config.max_connections_per_address = 4).await;
    is_served(&world).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(world.server().address()).await.expect("connects"));
    }
    until(&world, "all but four gave way", |counts| counts.refused_for(Cause::GaveWay) == 46).await;
    assert!(world.server().counts().strangers <= 4);
    let bearer = bearer(&world);
    for _ in 0..8 {
        let status = post(&world, GET_ROUND, &[("authorization", &bearer)], Some(frame(b""))).await;
        assert_eq!(reason(&status), "INVALID_FIELDS");
    }
    drop(silent);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_callers_do_not_give_way_and_are_bounded_for_each_caller() {
    let world = World::sqlite_with(|config| {
        config.max_connections = 4;
        config.max_connections_per_caller = 3;
    })
    .await;
    // The world's own connection is the first of the coordinator.
    is_served(&world).await;
    let bearer = bearer(&world);
    let mut lines = Vec::new();
    for expected in ["INVALID_FIELDS", "INVALID_FIELDS", "OVERLOADED"] {
        let mut line = Line::open(&world).await;
        let request = grpc(&world, GET_ROUND, &[("authorization", &bearer)]).body(()).expect("a request");
        let (answer, mut asked) = line.call(request);
        drop(asked.send_data(Bytes::from(frame(b"")), true));
        assert_eq!(reason(&status_of(answer).await), expected);
        lines.push(line);
    }
    // The fourth connection has named no caller within its bound: it gives way to another caller.
    let peru = world.server().service().issue_token(&coordinator(), "another").await.expect("a token");
    let mut line = Line::open(&world).await;
    let headers = [("authorization", format!("Bearer {peru}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (answer, mut asked) = line.call(grpc(&world, GET_ROUND, &headers).body(()).expect("a request"));
    drop(asked.send_data(Bytes::from(frame(b"")), true));
    assert_eq!(reason(&status_of(answer).await), "INVALID_FIELDS");
    // Now all four have named a caller, and there is no room.
    let mut full = TcpStream::connect(world.server().address()).await.expect("connects");
    assert_eq!(soon(full.read(&mut [0])).await.unwrap_or_default(), 0);
    assert_eq!(world.server().counts().refused_for(Cause::Connections), 1);
    is_served(&world).await;
    drop((lines, line));
    left(world).await;
}

fn coordinator() -> wim_match::domain::grant::Role {
    wim_match::domain::grant::Role::Coordinator
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_sends_nothing_and_a_message_that_dribbles_end() {
    let world = World::sqlite_with(|config| {
        config.silence_seconds = 1;
        config.message_seconds = 2;
    })
    .await;
    let bearer = bearer(&world);
    let headers = [("authorization", bearer.as_str())];
    let mut line = Line::open(&world).await;
    let silent: Vec<_> = (0..4)
        .map(|_| line.call(grpc(&world, SOLVE_STREAM, &headers).body(()).expect("a request")))
        .collect();
    let (dribbling, mut asked) = line.call(grpc(&world, GET_ROUND, &headers).body(()).expect("a request"));
    let mut dribble = tokio::task::JoinSet::new();
    dribble.spawn(async move {
        let mut sent = asked.send_data(Bytes::from_static(ANNOUNCED), false);
        while sent.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            sent = asked.send_data(Bytes::from_static(b"x"), false);
        }
    });
    for (answer, _asked) in silent {
        assert_eq!(reason(&status_of(answer).await), "RECEIVE_TIMEOUT");
    }
    assert_eq!(reason(&status_of(dribbling).await), "RECEIVE_TIMEOUT");
    assert_eq!(world.server().counts().refused_for(Cause::ReceiveTimeout), 5);
    drop((line, dribble));
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_grpc_call_and_a_second_credential_are_refused() {
    let world = World::sqlite().await;
    let bearer = bearer(&world);
    let known = ("authorization", bearer.as_str());
    let status = post(&world, GET_ROUND, &[known, known], Some(frame(b""))).await;
    assert_eq!(reason(&status), "UNAUTHENTICATED");
    assert!(status.message().contains("several"), "{status:?}");

    let uri = || format!("http://{}{GET_ROUND}", world.server().address());
    let request = |method, kind| {
        let request = Request::builder().method(method).uri(uri()).header("content-type", kind);
        request.header("authorization", bearer.as_str())
    };
    let mut line = Line::open(&world).await;
    for (method, kind, expected) in [
        (Method::GET, "application/grpc", 405),
        (Method::POST, "application/json", 415),
        (Method::POST, "application/grpc+json", 415),
    ] {
        let request = request(method, kind).header("te", "trailers").body(()).expect("a request");
        let (answer, mut asked) = line.call(request);
        drop(asked.send_data(Bytes::from_static(b"{\"name\": \"rounds/r\"}"), true));
        assert_eq!(soon(answer).await.expect("an answer").status(), expected, "{kind}");
    }
    let without = request(Method::POST, "application/grpc").body(()).expect("a request");
    assert_eq!(reason(&status_of(line.call(without).0).await), "NOT_GRPC");
    let counts = world.server().counts();
    assert_eq!((counts.refused_for(Cause::NotGrpc), counts.refused_for(Cause::SeveralCredentials)), (4, 1));
    drop(line);
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_pings_and_huge_headers_leave_nothing_behind() {
    let world = World::sqlite().await;
    let mut resetting = Line::open(&world).await;
    for _ in 0..2_000 {
        let request = grpc(&world, GET_ROUND, &[]).body(()).expect("a request");
        let Ok(Ok((answer, mut asked))) =
            tokio::time::timeout(std::time::Duration::from_secs(1), resetting.call_when_ready(request)).await
        else {
            break;
        };
        asked.send_reset(h2::Reason::CANCEL);
        drop(answer);
    }
    let mut pinging = TcpStream::connect(world.server().address()).await.expect("connects");
    pinging.write_all(PREFACE).await.expect("sends");
    let pings = b"\0\0\x08\x06\0\0\0\0\0pingpong".repeat(10_000);
    let mut sending = tokio::task::JoinSet::new();
    sending.spawn(async move { pinging.write_all(&pings).await });
    let mut lines = Line::open(&world).await;
    let huge = "x".repeat(40_000);
    let request = grpc(&world, GET_ROUND, &[("x-huge", &huge)]).body(()).expect("a request");
    // The answer is an HTTP error or a reset of the call.
    if let Ok(answer) = soon(lines.call(request).0).await {
        assert_eq!(answer.status(), 431);
    }
    is_served(&world).await;
    drop((resetting, sending, lines));
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_without_a_caller_are_bounded_for_each_address_that_a_configured_proxy_names() {
    let world = World::sqlite_with(|config| {
        let loopback: IpAddr = "127.0.0.1".parse().expect("an address");
        config.proxies = vec![Proxy(loopback.into())];
    })
    .await;
    let mut line = Line::open(&world).await;
    let mut watches = Vec::new();
    let mut watch = async |from: &str| {
        let request = grpc(&world, WATCH_HEALTH, &[("x-forwarded-for", from)]).body(()).expect("a request");
        let (answer, mut asked) = soon(line.call_when_ready(request)).await.expect("is taken");
        asked.send_data(Bytes::from(frame(b"")), true).expect("sends");
        let answer = soon(answer).await.expect("an answer");
        let is_open = tonic::Status::from_header_map(answer.headers()).is_none();
        watches.push(answer);
        is_open
    };
    for _ in 0..64 {
        assert!(watch("192.0.2.1").await);
    }
    // What the peer of the proxy wrote itself comes before its address, and helps it nothing.
    assert!(!watch("198.51.100.7, 192.0.2.1").await);
    assert!(watch("192.0.2.2").await);
    assert_eq!(world.server().counts().unnamed_calls, 65);
    drop((watches, line));
    left(world).await;

    let world = World::sqlite().await;
    let mut line = Line::open(&world).await;
    let mut open = Vec::new();
    for at in 0..65 {
        let from = format!("192.0.2.{at}");
        let request = grpc(&world, WATCH_HEALTH, &[("x-forwarded-for", &from)]).body(()).expect("a request");
        let (answer, mut asked) = soon(line.call_when_ready(request)).await.expect("is taken");
        asked.send_data(Bytes::from(frame(b"")), true).expect("sends");
        open.push(soon(answer).await.expect("an answer"));
    }
    assert_eq!(world.server().counts().refused_for(Cause::UnnamedCalls), 1, "nobody else is believed");
    drop((open, line));
    left(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_does_not_hold_the_stop_of_the_service() {
    let world = World::sqlite_with(|config| config.drain_seconds = 3_600).await;
    let mut silent = TcpStream::connect(world.server().address()).await.expect("connects");
    let line = Line::open(&world).await;
    until(&world, "both are open", |counts| counts.strangers >= 2).await;
    soon(world.stop()).await;
    // Settings of HTTP/2, and then the end.
    drop(soon(silent.read_to_end(&mut Vec::new())).await);
    drop(line);
}

/// A service of its own process, which is killed when it is dropped.
struct Process(std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_beyond_the_limit_of_files_do_not_keep_a_caller_out() {
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};

    let home = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite:{}", home.path().join("wim.sqlite3").display());
    let program = env!("CARGO_BIN_EXE_wim-match");
    let admin = |arguments: &[&str]| {
        let done =
            Command::new(program).arg("admin").args(arguments).args(["--database", &database]).output();
        let done = done.expect("the command runs");
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).expect("UTF-8").trim().to_owned()
    };
    admin(&["migrate"]);
    let token = admin(&["token", "create", "--role", "coordinator"]);
    let serve = "ulimit -n 96; exec \"$0\" serve --listen 127.0.0.1:0 --database \"$1\"";
    let mut command = Command::new("bash");
    command.args(["-c", serve, program, &database]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut process = Process(
        command
            .env("WIM_MATCH_MONITORING_LISTEN", "")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts"),
    );
    let output = std::io::BufReader::new(process.0.stderr.take().expect("an output"));
    let mut lines = output.lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.split("listens on ").nth(1).map(|said| said.trim().to_owned()));
    let server = said.expect("the service says where it listens");
    // The rest of the log is read, so that the service never waits to write it.
    let reading = std::thread::spawn(move || lines.filter(|line| line.contains("gave_way")).count());

    let mut silent = Vec::new();
    for _ in 0..300 {
        let address = server.trim_start_matches("http://");
        silent.push(soon(TcpStream::connect(address)).await.expect("connects"));
    }
    let channel = soon(wim_match::client::connect(&server)).await.expect("connects");
    let mut client = wim_match::client::Client::new(&channel, Some(&token)).expect("a client");
    soon(client.rounds.list_rounds(v1::ListRoundsRequest::default())).await.expect("a caller is served");
    drop(process);
    let told = reading.join().expect("reads the log");
    assert!((1..=2).contains(&told), "one line for the address and each minute, and not {told}");
}
