//! The attackers: strangers who open connections at a stated rate, and a careless caller with a token.
//!
//! Strangers, in turn: a connection that says nothing, one with 200 calls that announce 4 MiB each, one that resets its
//! calls, one that sends pings. The careless caller holds four silent streams of the solver and 20 exports that it does
//! not read, sends imports of wrong codes one after the other, and asks WhatIf 1,000 questions at a time.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tonic::codegen::Bytes;
use tonic::codegen::http::Request;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_profiles_request::Content as Ask;
use wim_match::api::proto::v1::solve_response::Outcome as Solved;
use wim_match::api::proto::v1::solve_stream_request::Content as SolveAsk;
use wim_match::api::proto::v1::what_if_question::Question as Asked;
use wim_match::client::{Client, connect};

use super::Outcome;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Mentees of the problem that WhatIf is asked about, and mentors: 1,000 questions.
const PROBLEM: u32 = 500;
/// Rows of an import whose every code is wrong: about 858 KB.
const WRONG_ROWS: i64 = 700;

/// Attacks until the process is killed.
pub(super) async fn run(server: &str, token: &str, organisation: &str, rate: u32) -> Outcome<()> {
    let mut tasks = JoinSet::new();
    let client = Client::new(&connect(server).await?, Some(token))?;
    for _ in 0..4 {
        tasks.spawn(hold_a_silent_stream(client.clone()));
    }
    for _ in 0..20 {
        tasks.spawn(hold_an_export(client.clone(), organisation.to_owned()));
    }
    tasks.spawn(send_wrong_codes(client.clone(), organisation.to_owned()));
    tasks.spawn(async move { ask_what_if(client).await.expect("the problem is solved first") });
    let address = server.trim_start_matches("http://").to_owned();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
    for number in 0_u64.. {
        tick.tick().await;
        let address = address.clone();
        tasks.spawn(async move {
            // An attack that the service refuses has ended.
            drop(match number % 4 {
                0 => say_nothing(&address).await,
                1 => announce(&address).await,
                2 => reset(&address).await,
                _ => ping(&address).await,
            });
        });
        while tasks.try_join_next().is_some() {}
    }
    Ok(())
}

async fn hold_a_silent_stream(client: Client) {
    let aim = v1::SolveStreamRequest { content: Some(SolveAsk::Aim(v1::AssignmentAim::default())) };
    loop {
        let (parts, asked) = tokio::sync::mpsc::channel(1);
        drop(parts.send(aim.clone()).await);
        let asked = tokio_stream::wrappers::ReceiverStream::new(asked);
        if let Ok(answers) = client.clone().solver.solve_stream(asked).await {
            let mut answers = answers.into_inner();
            while let Ok(Some(_)) = answers.message().await {}
        }
        drop(parts);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn hold_an_export(mut client: Client, organisation: String) {
    let request = v1::ExportProfilesRequest { parent: format!("organisations/{organisation}") };
    let unread = client.profiles.export_profiles(request).await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    drop(unread);
}

async fn send_wrong_codes(mut client: Client, organisation: String) {
    let parent = format!("organisations/{organisation}");
    loop {
        let row = |row: i64| v1::ImportRow {
            row,
            profile: Some(v1::Profile {
                name: format!("{parent}/profiles/{row}"),
                commodities: (0..100).map(|at| format!("wrong-{at}")).collect(),
                ..v1::Profile::default()
            }),
            unreadable: false,
        };
        let header =
            v1::ImportHeader { parent: parent.clone(), validate_only: true, ..v1::ImportHeader::default() };
        let rows = v1::ImportRows { rows: (1..=WRONG_ROWS).map(row).collect() };
        let contents = [Ask::Header(header), Ask::Rows(rows), Ask::End(v1::ImportEnd { rows: WRONG_ROWS })];
        let messages = contents.map(|content| v1::ImportProfilesRequest { content: Some(content) });
        if let Ok(answers) = client.profiles.import_profiles(tokio_stream::iter(messages)).await {
            let mut answers = answers.into_inner();
            while let Ok(Some(_)) = answers.message().await {}
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Asks for the alternates of every mentee and mentor of a solved problem, again and again.
async fn ask_what_if(mut client: Client) -> Outcome<()> {
    let mentee = |at: u32| v1::AssignmentMentee { id: format!("mentee-{at}"), ..Default::default() };
    let mentor = |at: u32| v1::AssignmentMentor { id: format!("mentor-{at}"), ..Default::default() };
    let candidates = (0..PROBLEM * 20).map(|at| v1::AssignmentPair {
        mentee: format!("mentee-{}", at / 20),
        mentor: format!("mentor-{}", at.wrapping_mul(7_919) % PROBLEM),
        score: i32::try_from(at.wrapping_mul(2_654_435_761) % 10_000).unwrap_or_default(),
    });
    let mut candidates: Vec<v1::AssignmentPair> = candidates.collect();
    candidates.sort_unstable_by(|a, b| (&a.mentee, &a.mentor).cmp(&(&b.mentee, &b.mentor)));
    candidates.dedup_by(|a, b| (&a.mentee, &a.mentor) == (&b.mentee, &b.mentor));
    let problem = v1::AssignmentProblem {
        mentees: (0..PROBLEM).map(mentee).collect(),
        mentors: (0..PROBLEM).map(mentor).collect(),
        candidates,
        ..Default::default()
    };
    let solved = v1::SolveRequest { problem: Some(problem.clone()), ..Default::default() };
    let solved = client.solver.solve(solved).await?.into_inner();
    let Some(Solved::Result(result)) = solved.outcome else { return Err("the problem has a result".into()) };
    let question = |at: u32| {
        let question = if at < PROBLEM {
            Asked::AlternatesOfMentee(format!("mentee-{at}"))
        } else {
            Asked::AlternatesOfMentor(format!("mentor-{}", at - PROBLEM))
        };
        v1::WhatIfQuestion { question: Some(question) }
    };
    let request = v1::WhatIfRequest {
        problem: Some(problem),
        pairs: result.pairs,
        proof: result.proof,
        questions: (0..PROBLEM * 2).map(question).collect(),
        max_alternates: 10,
    };
    loop {
        // An attack that the service refuses goes on.
        drop(client.solver.what_if(request.clone()).await);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A connection from another address than that of the other caller.
async fn stranger(address: &str) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 2], 0).into())?;
    Ok(socket.connect(address.parse()?).await?)
}

async fn say_nothing(address: &str) -> Outcome<()> {
    let mut stream = stranger(address).await?;
    let _ = stream.read(&mut [0]).await?;
    Ok(())
}

async fn announce(address: &str) -> Outcome<()> {
    let (mut sender, connection) = h2::client::handshake(stranger(address).await?).await?;
    let mut running = JoinSet::new();
    running.spawn(connection);
    let mut calls = Vec::new();
    for _ in 0..200 {
        sender = sender.ready().await?;
        let (answer, mut asked) = sender.send_request(request(address)?, false)?;
        asked.send_data(Bytes::from_static(&[0, 0, 0x40, 0, 0]), false)?;
        calls.push((answer, asked));
    }
    running.join_next().await;
    Ok(())
}

async fn reset(address: &str) -> Outcome<()> {
    let (mut sender, connection) = h2::client::handshake(stranger(address).await?).await?;
    let mut running = JoinSet::new();
    running.spawn(connection);
    loop {
        sender = sender.ready().await?;
        let (_, mut asked) = sender.send_request(request(address)?, false)?;
        asked.send_reset(h2::Reason::CANCEL);
        tokio::task::yield_now().await;
    }
}

async fn ping(address: &str) -> Outcome<()> {
    let mut stream = stranger(address).await?;
    stream.write_all(PREFACE).await?;
    let pings = b"\0\0\x08\x06\0\0\0\0\0pingpong".repeat(100);
    loop {
        stream.write_all(&pings).await?;
    }
}

fn request(address: &str) -> Outcome<Request<()>> {
    let request = Request::post(format!("http://{address}/wim.mentorship.v1.RoundService/GetRound"));
    Ok(request.header("content-type", "application/grpc").header("te", "trailers").body(())?)
}
