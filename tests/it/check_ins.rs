//! Check-ins of a programme that asks by a survey tool: a file is imported whole or not at all, each wrong row is told with all that
//! is wrong with it, and each side exports its own rows alone.

use std::fmt::Write as _;
use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_check_ins_request::Content as Ask;
use wim_match::api::proto::v1::import_check_ins_response::Content as Answer;
use wim_match::client::{CheckInImport, Client, Error, Finding, Form, export_check_ins, request_id};
use wim_match::clock::{Clock as _, Stopwatch};
use wim_match::domain::profile::{ConsentDraft, ProfileDraft};

use crate::mentorships::{ACCEPTS, mentorships, published, respond};
use crate::refusal::{reason, refused, wrong_fields};
use crate::review::{Cast, approve, publish, submission_of, submit, two_people};
use crate::world::{Manager, World, mentee, mentor, on_both_databases};

on_both_databases! {
    a_file_of_check_ins_is_imported_once_and_exported_by_its_side,
    every_wrong_row_is_told_and_nothing_is_stored,
    an_import_is_checked_without_a_trace_and_repeated_with_its_first_answer,
    a_check_in_of_each_side_is_read_by_its_organisation_alone,
}

/// The published round of the cast six weeks and a day after its start, with both mentorships active.
pub(crate) async fn active(world: World) -> (Cast, Vec<v1::Mentorship>) {
    let (cast, _) = Box::pin(published(world)).await;
    let all = mentorships(&cast.kenya.client, &cast.round).await;
    cast.world.clock().advance(Duration::from_hours(24));
    let day = cast.world.clock().now().strftime("%Y-%m-%d").to_string();
    for one in &all {
        respond(&cast.peru.client, one, v1::Side::Mentor, ACCEPTS).await.expect("accepts");
        respond(&cast.kenya.client, one, v1::Side::Mentee, ACCEPTS).await.expect("accepts");
        let request =
            v1::RecordFirstMeetingRequest { name: one.name.clone(), date: day.clone(), ..Default::default() };
        cast.peru.client.mentorships.clone().record_first_meeting(request).await.expect("have met");
    }
    cast.world.clock().advance(Duration::from_hours(24 * 64));
    (cast, all)
}

/// A person consents to the follow-up.
pub(crate) async fn consents(manager: &Manager, id: &str) {
    let consent = ConsentDraft {
        purpose: v1::ConsentPurpose::FollowUp.into(),
        text_version: "2026-1".to_owned(),
        language: "es".to_owned(),
        give_time: Some("2027-01-05T10:00:00Z".parse().expect("a moment")),
        withdraw_time: None,
    };
    manager.client.record_consent(&manager.member(id), consent, false).await.expect("consents");
}

fn short(of: &v1::Mentorship) -> String {
    of.name.replacen("rounds/", "", 1).replacen("/mentorships/", "/", 1)
}

fn own_id(name: &str) -> &str {
    name.rsplit('/').next().expect("an id")
}

struct Sent {
    summary: v1::ImportCheckInsSummary,
    /// Line and column of each mistake.
    wrong: Vec<(u64, &'static str)>,
}

async fn send(manager: &Manager, file: &str, change: impl FnOnce(&mut CheckInImport)) -> Result<Sent, Error> {
    let organisation = manager.organisation.clone();
    let mut import = CheckInImport { organisation, accept_good_rows: false, validate_only: false };
    change(&mut import);
    let mut wrong = Vec::new();
    let input = std::io::Cursor::new(file.as_bytes().to_vec());
    let sent = import.send(&manager.client, input, |finding| {
        if let Finding::Problem(problem) = finding {
            wrong.push((problem.line, problem.cell.column));
        }
        Ok::<_, Error>(())
    });
    let summary = Box::pin(sent).await?;
    wrong.sort_unstable();
    Ok(Sent { summary, wrong })
}

async fn exported(manager: &Manager, form: Form) -> String {
    let request = v1::ExportCheckInsRequest { parent: manager.name(), ..Default::default() };
    let mut file = Vec::new();
    export_check_ins(&manager.client, request, form, &mut file).await.expect("exports");
    String::from_utf8(file).expect("is text")
}

fn of(summary: v1::ImportCheckInsSummary) -> (i64, i64, i64, i64, bool) {
    let v1::ImportCheckInsSummary { received, recorded, unchanged, rejected, stored, .. } = summary;
    (received, recorded, unchanged, rejected, stored)
}

async fn a_file_of_check_ins_is_imported_once_and_exported_by_its_side(world: World) {
    let (cast, all) = Box::pin(active(world)).await;
    for id in ["c", "d"] {
        consents(&cast.kenya, id).await;
    }
    consents(&cast.peru, "a").await;
    // As a survey tool writes it: other order, another delimiter, words and a decimal comma.
    let mut file = "fecha;mentoría;identificador;etapa;satisfacción;recomienda;ascendida;instrumento;puntaje del instrumento\n"
        .to_owned();
    for one in &all {
        let row = format!("16/03/2027;{};{};semana 6;5;9;no;MFQ-9;4,25\n", short(one), own_id(&one.mentee));
        file.push_str(&row);
    }
    let sent = send(&cast.kenya, &file, |_| {}).await.expect("imports");
    assert_eq!((of(sent.summary), sent.wrong), ((2, 2, 0, 0, true), vec![]));
    // The same file changes nothing, and the audit has one entry for the first.
    let again = send(&cast.kenya, &file, |_| {}).await.expect("imports");
    assert_eq!(of(again.summary), (2, 0, 2, 0, true));
    let list = v1::ListCheckInsRequest { parent: all[0].name.clone() };
    let mut kenya = cast.kenya.client.mentorships.clone();
    let recorded = kenya.list_check_ins(list.clone()).await.expect("lists").into_inner().check_ins;
    let [one] = &recorded[..] else { panic!("one: {recorded:?}") };
    let answers = one.answers.expect("answers");
    assert_eq!((answers.satisfaction, answers.recommend, answers.promoted), (Some(5), Some(9), Some(false)));
    assert_eq!((answers.meetings, answers.minutes), (None, None), "what was not answered is not 0");
    assert_eq!(one.measurement.clone().expect("is measured").score_hundredths, 425);
    // Each side exports its own rows alone; they are what an import reads.
    let csv = exported(&cast.kenya, Form::Csv).await;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let back = send(&cast.kenya, &csv, |_| {}).await.expect("imports");
    assert_eq!((of(back.summary), back.wrong), ((2, 0, 2, 0, true), vec![]));
    assert_eq!(exported(&cast.kenya, Form::Json).await.lines().count(), 2);
    assert_eq!(exported(&cast.peru, Form::Csv).await.lines().count(), 1, "the header");
    let foreign = v1::ExportCheckInsRequest { parent: cast.kenya.name(), ..Default::default() };
    let mut peru = cast.peru.client.mentorships.clone();
    assert_eq!(refused(peru.export_check_ins(foreign.clone()).await), "NOT_FOUND");
    let denied = cast.world.coordinator().mentorships.export_check_ins(foreign).await;
    assert_eq!(refused(denied), "PERMISSION_DENIED");
    let round = v1::ExportCheckInsRequest { round: "rounds/none".to_owned(), parent: cast.kenya.name() };
    assert_eq!(refused(kenya.export_check_ins(round).await), "NOT_FOUND");
    assert_eq!(peru.list_check_ins(list).await.expect("lists").into_inner().check_ins, []);
    cast.world.stop().await;
}

async fn every_wrong_row_is_told_and_nothing_is_stored(world: World) {
    let (cast, all) = Box::pin(active(world)).await;
    consents(&cast.kenya, "c").await;
    let of_c = all.iter().find(|one| one.mentee == cast.kenya.member("c")).expect("is matched");
    let of_d = all.iter().find(|one| one.mentee == cast.kenya.member("d")).expect("is matched");
    let (c, d, mentor) = (short(of_c), short(of_d), own_id(&of_c.mentor).to_owned());
    let nothing = format!("r/{}", "0".repeat(32));
    let file = [
        "mentorship,profile_id,side,point,date,satisfaction,instrument,instrument_score".to_owned(),
        // 2: good.
        format!("{c},c,,week_6,2027-03-16,5,,"),
        // 3: twice in the file.
        format!("{c},,mentee,week_6,2027-03-16,4,,"),
        // 4: before the start, and beyond the scale.
        format!("{c},c,mentee,middle,2027-01-20,6,mfq_9,5.01"),
        // 5: without a consent, in the future, and no answer.
        format!("{d},d,,middle,2027-05-02,,,"),
        // 6: the other organisation's member.
        format!("{c},,mentor,middle,2027-03-17,3,,"),
        // 7: rows that are mixed up; 8: no such mentorship; 9: not a name; 10: cells that cannot be read.
        format!("{c},d,,middle,2027-03-17,3,,"),
        format!("{nothing},c,,middle,2027-03-17,3,,"),
        "somewhere,c,,middle,2027-03-17,3,,".to_owned(),
        format!("{c},c,both,never,someday,3,,"),
        // 11: her partner's id is no member of the organisation.
        format!("{c},{mentor},,middle,2027-03-17,3,,"),
        // 12: neither side nor person.
        format!("{c},,,middle,2027-03-17,3,,"),
    ];
    let file = file.join("\n");
    let before = cast.world.dump().await;
    let sent = send(&cast.kenya, &file, |_| {}).await.expect("is answered");
    assert_eq!(of(sent.summary), (11, 0, 0, 10, false));
    let expected = [
        (3, "point"),
        (4, "date"),
        (4, "instrument_score"),
        (4, "satisfaction"),
        (5, ""),
        (5, "date"),
        (5, "side"),
        (6, "side"),
        (7, "profile_id"),
        (8, "mentorship"),
        (9, "mentorship"),
        (10, "date"),
        (10, "point"),
        (10, "side"),
        (11, "profile_id"),
        (12, "side"),
    ];
    assert_eq!(sent.wrong, expected);
    assert_eq!(cast.world.dump().await, before, "nothing is half stored");
    // The good row alone, if that is asked for.
    let sent = send(&cast.kenya, &file, |import| import.accept_good_rows = true).await.expect("imports");
    assert_eq!(of(sent.summary), (11, 1, 0, 10, true));
    // Other answers to what is recorded are another check-in, of which there is one.
    let other = format!("mentorship,side,point,date,satisfaction\n{c},mentee,week_6,2027-03-16,1\n");
    let sent = send(&cast.kenya, &other, |_| {}).await.expect("is answered");
    assert_eq!((of(sent.summary), sent.wrong), ((1, 0, 0, 1, false), vec![(2, "point")]));
    // After an early end the middle is refused, and the end is taken.
    let close = v1::CloseMentorshipRequest {
        name: of_c.name.clone(),
        side: v1::MentorshipEndSide::Both.into(),
        reason: v1::MentorshipEndReason::ChangedRole.into(),
        ..Default::default()
    };
    cast.kenya.client.mentorships.clone().close_mentorship(close).await.expect("closes");
    cast.world.clock().advance(Duration::from_hours(48));
    let late = format!(
        "mentorship,side,point,date,satisfaction\n{c},mentee,middle,2027-03-18,3\n{c},mentee,end,2027-03-18,3\n"
    );
    let sent = send(&cast.kenya, &late, |import| import.accept_good_rows = true).await.expect("imports");
    assert_eq!((of(sent.summary), sent.wrong), ((2, 1, 0, 1, true), vec![(2, "date")]));
    // Nothing is recorded of a person who is erased.
    let erase = v1::EraseProfileRequest { name: cast.kenya.member("c"), ..Default::default() };
    cast.kenya.client.privacy.clone().erase_profile(erase).await.expect("erases");
    let sent = send(&cast.kenya, &late, |_| {}).await.expect("is answered");
    assert_eq!((sent.summary.rejected, sent.summary.stored), (2, false));
    cast.world.stop().await;
}

async fn an_import_is_checked_without_a_trace_and_repeated_with_its_first_answer(world: World) {
    let (cast, all) = Box::pin(active(world)).await;
    for id in ["c", "d"] {
        consents(&cast.kenya, id).await;
    }
    let row = |at: i64, one: &v1::Mentorship, satisfaction| v1::ImportCheckInsRow {
        row: at,
        mentorship: one.name.clone(),
        check_in: Some(v1::CheckIn {
            side: v1::Side::Mentee.into(),
            point: v1::CheckInPoint::Week6.into(),
            date: "2027-03-16".to_owned(),
            answers: Some(v1::CheckInAnswers { satisfaction: Some(satisfaction), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let rows: Vec<_> = all.iter().zip(1..).map(|(one, at)| row(at, one, 4)).collect();
    let header = v1::ImportCheckInsHeader { parent: cast.kenya.name(), ..Default::default() };
    let import = async |client: &Client,
                        parts: Vec<Ask>|
           -> Result<v1::ImportCheckInsSummary, tonic::Status> {
        let messages = parts.into_iter().map(|content| v1::ImportCheckInsRequest { content: Some(content) });
        let messages: Vec<_> = messages.collect();
        let answers = client.mentorships.clone().import_check_ins(tokio_stream::iter(messages)).await?;
        let (mut answers, mut summary) = (answers.into_inner(), None);
        while let Some(answer) = answers.message().await? {
            if let Some(Answer::Summary(end)) = answer.content {
                summary = Some(end);
            }
        }
        Ok(summary.expect("a summary"))
    };
    let whole = |header: &v1::ImportCheckInsHeader, rows: &[v1::ImportCheckInsRow]| {
        let end = Ask::End(v1::ImportEnd { rows: i64::try_from(rows.len()).expect("few") });
        vec![Ask::Header(header.clone()), Ask::Rows(v1::ImportCheckInsRows { rows: rows.to_vec() }), end]
    };
    let kenya = &cast.kenya.client;
    let before = cast.world.dump().await;
    let check = v1::ImportCheckInsHeader { validate_only: true, ..header.clone() };
    let checked = import(kenya, whole(&check, &rows)).await.expect("is good");
    assert_eq!(of(checked), (2, 2, 0, 0, false));
    // A stream without its end, with another number of rows, or without a header stores nothing.
    let cut = whole(&header, &rows)[..2].to_vec();
    assert_eq!(wrong_fields(import(kenya, cut).await), ["end"]);
    let mut short = whole(&header, &rows);
    short[2] = Ask::End(v1::ImportEnd { rows: 3 });
    assert_eq!(wrong_fields(import(kenya, short).await), ["end.rows"]);
    assert_eq!(wrong_fields(import(kenya, whole(&header, &rows)[1..].to_vec()).await), ["header"]);
    let unnamed =
        v1::ImportCheckInsHeader { parent: String::new(), request_id: "x".to_owned(), ..header.clone() };
    assert_eq!(wrong_fields(import(kenya, whole(&unnamed, &rows)).await), ["header.parent", "request_id"]);
    let foreign = import(&cast.peru.client, whole(&header, &rows)).await.expect_err("is foreign");
    assert_eq!(reason(&foreign), "NOT_FOUND");
    assert_eq!(cast.world.dump().await, before, "a check writes nothing");
    let with_id = v1::ImportCheckInsHeader { request_id: request_id(), ..header };
    let first = import(kenya, whole(&with_id, &rows)).await.expect("imports");
    assert_eq!(of(first), (2, 2, 0, 0, true));
    assert_eq!(import(kenya, whole(&with_id, &rows)).await.expect("is repeated"), first);
    let changed = [row(1, &all[0], 1), rows[1].clone()];
    let reused = import(kenya, whole(&with_id, &changed)).await.expect_err("says something else");
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    cast.world.stop().await;
}

async fn a_check_in_of_each_side_is_read_by_its_organisation_alone(world: World) {
    let (cast, all) = Box::pin(active(world)).await;
    let of_c = all.iter().find(|one| one.mentee == cast.kenya.member("c")).expect("is matched");
    consents(&cast.kenya, "c").await;
    consents(&cast.peru, own_id(&of_c.mentor)).await;
    let check_in = |side: v1::Side, satisfaction| v1::RecordCheckInRequest {
        parent: of_c.name.clone(),
        check_in: Some(v1::CheckIn {
            side: side.into(),
            point: v1::CheckInPoint::Week6.into(),
            date: "2027-03-16".to_owned(),
            answers: Some(v1::CheckInAnswers { satisfaction: Some(satisfaction), ..Default::default() }),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    for (manager, side, satisfaction) in
        [(&cast.kenya, v1::Side::Mentee, 2), (&cast.peru, v1::Side::Mentor, 5)]
    {
        let request = check_in(side, satisfaction);
        let mut client = manager.client.mentorships.clone();
        let done = client.record_check_in(request.clone()).await.expect("records").into_inner();
        assert_eq!(client.record_check_in(request).await.expect("is repeated").into_inner(), done);
        let twice = client.record_check_in(check_in(side, satisfaction)).await;
        assert_eq!(wrong_fields(twice), ["check_in.point"]);
        let list = v1::ListCheckInsRequest { parent: of_c.name.clone() };
        let read = client.list_check_ins(list).await.expect("lists").into_inner().check_ins;
        assert_eq!(read, [done.check_in.expect("a check-in")], "her own alone");
    }
    let foreign = check_in(v1::Side::Mentor, 1);
    assert_eq!(refused(cast.kenya.client.mentorships.clone().record_check_in(foreign).await), "NOT_FOUND");
    let list = v1::ListCheckInsRequest { parent: of_c.name.clone() };
    let denied = cast.world.coordinator().mentorships.list_check_ins(list).await;
    assert_eq!(refused(denied), "PERMISSION_DENIED");
    // What the events and the audit of the partner say does not change with the answers.
    let due = cast.peru.client.all_due(&cast.peru.name(), 1).await.expect("lists");
    let asked: Vec<_> = due.iter().map(|one| (own_id(&one.profile), one.kind())).collect();
    let other = if own_id(&of_c.mentor) == "a" { "b" } else { "a" };
    assert_eq!(asked, [(other, v1::DueKind::CheckIn)], "the mentor of the other pair has not answered");
    cast.world.stop().await;
}

/// The number of the objective: 10,000 rows in a second, by the release build.
const PAIRS: usize = 834;
const POINTS: [&str; 6] = ["week_6", "middle", "end", "month_12", "month_24", "month_36"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test it -- --ignored --nocapture ten_thousand_check_ins"]
async fn ten_thousand_check_ins_are_imported_within_a_second() {
    let world = World::sqlite().await;
    let people = two_people(&world).await;
    let mut peru = world.manager("wim-peru").await;
    let with_follow_up = |draft: ProfileDraft| {
        let follow_up = ConsentDraft { purpose: 4, ..draft.consents[0].clone() };
        ProfileDraft { consents: [draft.consents.clone(), vec![follow_up]].concat(), ..draft }
    };
    let all = (0..PAIRS).flat_map(|at| [mentor(&format!("m{at}"), 1), mentee(&format!("e{at}"))]);
    peru.import(all.map(with_follow_up).collect()).await;
    let round = world.open_round("r").await.name;
    peru.enrol_all(&round).await;
    let run = world.run_to_the_end(&round).await;
    let submission = submit(&people[0], submission_of(&run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    let filter = v1::ListMentorshipsRequest { parent: round, ..Default::default() };
    let mentorships = peru.client.all_mentorships(&filter).await.expect("lists");
    assert_eq!(mentorships.len(), PAIRS);
    for one in &mentorships {
        for side in [v1::Side::Mentor, v1::Side::Mentee] {
            respond(&peru.client, one, side, ACCEPTS).await.expect("accepts");
        }
    }
    world.clock().set("2027-03-16T12:00:00Z".parse().expect("a moment"));
    let mut file = "mentorship,side,point,date,satisfaction,recommend\n".to_owned();
    for one in &mentorships {
        for (side, point) in ["mentor", "mentee"].iter().flat_map(|side| POINTS.map(|point| (side, point))) {
            writeln!(file, "{},{side},{point},2027-03-16,4,9", short(one)).expect("a text");
        }
    }
    let stopwatch = Stopwatch::start();
    let sent = send(&peru, &file, |_| {}).await.expect("imports");
    let took = stopwatch.elapsed();
    println!("{} check-ins imported in {took:?}", sent.summary.recorded);
    assert_eq!((sent.summary.recorded, sent.wrong), (10_008, vec![]));
    assert!(cfg!(debug_assertions) || took < Duration::from_secs(1), "{took:?}");
    world.stop().await;
}
