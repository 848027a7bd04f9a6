//! Reports, and the parameters by which they count.

use std::collections::BTreeSet;

use wim_match::client::{Client, request_id, v1};
use wim_match::demo::alliance;

use crate::refusal::{reason, refused, wrong_fields};
use crate::review::{approve, publish, submission_of, submit, two_people};
use crate::world::{Manager, World, on_both_databases, soon};

on_both_databases! {
    a_published_round_is_reported_once_and_read_by_permission,
    a_report_that_tells_of_few_people_is_not_made,
}

/// All parameters that a caller reads in a language, by pages of `size`.
async fn parameters(world: &World, size: i32, language: &str) -> Vec<v1::Parameter> {
    let (client, _) = world.caller(&["committee-member"]).await;
    let (mut client, mut found, mut page_token) = (client.reports, Vec::new(), String::new());
    loop {
        let request =
            v1::ListParametersRequest { page_size: size, page_token, language_code: language.to_owned() };
        let page = client.list_parameters(request).await.expect("lists").into_inner();
        assert_eq!((page.list_version, page.language_code.as_str()), (1, language));
        found.extend(page.parameters);
        if page.next_page_token.is_empty() {
            return found;
        }
        page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_common_parameters_are_read_in_every_language_page_by_page() {
    let world = World::sqlite().await;
    let english = parameters(&world, 0, "en").await;
    let rate = english.first().expect("a parameter");
    assert_eq!((rate.parameter_id.as_str(), rate.unit()), ("match_rate", v1::ParameterUnit::Percent));
    assert_eq!(rate.numerator, "mentees with a published match");
    for language in ["en", "fr", "es", "pt"] {
        let paged = parameters(&world, 3, language).await;
        let ids = |all: &[v1::Parameter]| all.iter().map(|one| one.parameter_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&paged), ids(&english), "{language}: the same parameters in the same order");
        let definitions: BTreeSet<&str> = paged.iter().map(|one| one.definition.as_str()).collect();
        let same = english.iter().filter(|one| definitions.contains(one.definition.as_str())).count();
        assert_eq!(same, if language == "en" { english.len() } else { 0 }, "{language}");
    }
    world.stop().await;
}

/// A published round of a whole alliance, whose mentorships have gone on, with check-ins of both sides.
async fn followed_up(world: &World) -> (String, Vec<Manager>) {
    let round = world.open_round("2027-first").await;
    let (managers, _) = world.bring_in(&alliance::synthesise(400, 7), &round.name).await;
    let run = soon(world.run_to_the_end(&round.name)).await;
    let people = two_people(world).await;
    let submission = submit(&people[0], submission_of(&run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    world
        .change(
            "UPDATE mentorship SET mentor_answer = 'accepted', mentor_answer_micros = propose_micros, mentee_answer = 'accepted', \
             mentee_answer_micros = propose_micros, accept_micros = propose_micros - 6000000000000, first_meeting_date = '2027-03-01', \
             state = CASE WHEN id < '3' THEN 'ended_early' ELSE 'completed' END, end_micros = propose_micros - 2000000000000, \
             end_reason = 'no_time', end_side = 'mentee' WHERE id < 'e'",
        )
        .await;
    for check_ins in [
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, meetings, minutes, satisfaction, \
         recommend, goals_achieved, goals_partly, goals_missed, actor, create_micros) SELECT round_id, id, 'mentee', 'end', \
         mentee_organisation_id, '2027-10-01', 8, 480, CASE WHEN score > 6500 THEN 5 ELSE 3 END, 9, 2, 1, 1, 'p', 1 \
         FROM mentorship WHERE id < 'd'",
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, meetings, minutes, satisfaction, \
         recommend, actor, create_micros) SELECT round_id, id, 'mentor', 'end', mentor_organisation_id, '2027-10-01', 8, 500, 4, 5, \
         'p', 1 FROM mentorship WHERE id < 'd'",
    ] {
        world.change(check_ins).await;
    }
    (round.name, managers)
}

async fn make(client: &Client, report: v1::Report, id: &str) -> Result<v1::Report, tonic::Status> {
    let request =
        v1::CreateReportRequest { report: Some(report), request_id: id.to_owned(), validate_only: false };
    let made = client.reports.clone().create_report(request).await?.into_inner();
    Ok(made.report.expect("a report"))
}

async fn get(client: &Client, name: &str) -> Result<v1::Report, tonic::Status> {
    let request = v1::GetReportRequest { name: name.to_owned() };
    Ok(client.reports.clone().get_report(request).await?.into_inner().report.expect("a report"))
}

async fn names(client: &Client) -> Vec<String> {
    let listed = client.reports.clone().list_reports(v1::ListReportsRequest::default()).await.expect("lists");
    listed.into_inner().reports.into_iter().map(|report| report.name).collect()
}

fn of(kind: v1::ReportKind) -> v1::Report {
    v1::Report { kind: kind.into(), ..v1::Report::default() }
}

/// The number of a column in a row of a table.
fn number(report: &v1::Report, table: &str, row: &str, column: &str) -> Option<i64> {
    let table = report.tables.iter().find(|one| one.table_id == table)?;
    let at = table.columns.iter().position(|one| one.column_id == column)?;
    let row = table.rows.iter().find(|one| one.key == row)?;
    match row.cells[at].content {
        Some(v1::report_cell::Content::Number(number)) => Some(number),
        _ => None,
    }
}

async fn a_published_round_is_reported_once_and_read_by_permission(world: World) {
    let (round, managers) = Box::pin(followed_up(&world)).await;
    let (coordinator, id) = (world.coordinator(), request_id());
    let wanted = v1::Report { round: round.clone(), ..of(v1::ReportKind::Round) };
    let first = make(&coordinator, wanted.clone(), &id).await.expect("makes");
    assert_eq!(make(&coordinator, wanted.clone(), &id).await.expect("again"), first, "the first answer");
    assert_eq!((first.rounds.as_slice(), first.list_version), ([round.clone()].as_slice(), 1));
    let mentees = number(&first, "funnel", "all", "mentees").expect("mentees");
    let matched = number(&first, "funnel", "all", "matched").expect("matched");
    assert!(mentees > 100 && matched > 50 && matched <= mentees, "{mentees} and {matched}");
    for table in &first.tables {
        for (at, _) in
            table.columns.iter().enumerate().filter(|(_, one)| one.unit() == v1::ReportUnit::People)
        {
            for row in
                table.rows.iter().filter(|row| table.table_id != "satisfaction" && !row.cells.is_empty())
            {
                if let Some(v1::report_cell::Content::Number(count)) = row.cells[at].content {
                    assert_eq!(count % 5, 0, "{}: {row:?}", table.table_id);
                }
            }
        }
    }
    assert_eq!(number(&first, "satisfaction", "mentor", "satisfaction"), Some(400));
    assert_eq!(number(&first, "survival", "0", "going_on"), Some(100));

    // One more early end changes no number of a later release, and nothing of the first.
    world.change("UPDATE mentorship SET state = 'ended_early' WHERE id = (SELECT MAX(id) FROM mentorship WHERE state = 'completed')").await;
    let second = make(&coordinator, wanted, "").await.expect("makes another");
    assert_eq!(second.tables, first.tables, "one person is seen in no number");
    assert_ne!(second.name, first.name);
    assert_eq!(get(&coordinator, &first.name).await.expect("reads"), first);

    let own = &managers[0];
    let wanted = v1::Report { organisation: own.name(), year: 2027, ..of(v1::ReportKind::Annual) };
    let annual = make(&coordinator, wanted, "").await.expect("makes");
    let committee = v1::Report { year: 2027, ..of(v1::ReportKind::Committee) };
    let committee = make(&coordinator, committee, "").await.expect("makes");
    let programme = make(&coordinator, of(v1::ReportKind::Programme), "").await.expect("makes");
    assert!(number(&programme, "year", "2027", "mentees").is_some());
    let member = world.caller(&["committee-member"]).await.0;
    let all = [&first.name, &second.name, &annual.name, &committee.name, &programme.name];
    // Ids of one moment have no order.
    let listed: BTreeSet<String> = names(&coordinator).await.into_iter().collect();
    assert_eq!(listed, all.into_iter().cloned().collect());
    for (client, readable) in [(&own.client, &annual.name), (&member, &committee.name)] {
        assert_eq!(names(client).await, std::slice::from_ref(readable));
        for name in all {
            let read = get(client, name).await;
            if name == readable {
                read.expect("is hers");
            } else {
                assert_eq!(refused(read), "NOT_FOUND")
            }
        }
    }
    assert!(names(&managers[1].client).await.is_empty());
    assert!(
        committee.tables.iter().all(|table| table.table_id != "organisation" && table.table_id != "exchange")
    );
    assert_eq!(refused(make(&own.client, of(v1::ReportKind::Programme), "").await), "PERMISSION_DENIED");

    for (format, begins) in [
        (v1::ReportFormat::Html, "<!DOCTYPE html>".as_bytes()),
        (v1::ReportFormat::Csv, "\u{feff}Tableau".as_bytes()),
        (v1::ReportFormat::Json, b"{"),
        (v1::ReportFormat::Xlsx, b"PK"),
    ] {
        let request = v1::DownloadReportRequest {
            name: first.name.clone(),
            format: format.into(),
            language_code: "fr".to_owned(),
        };
        let file =
            coordinator.reports.clone().download_report(request).await.expect("downloads").into_inner();
        assert!(file.content.starts_with(begins), "{format:?}");
        assert!(file.file_name.starts_with("round-2027-first-") && file.file_name.contains("-fr."));
        if let Ok(folder) = std::env::var("WIM_MATCH_KEEP_REPORTS") {
            std::fs::write(std::path::Path::new(&folder).join(&file.file_name), &file.content)
                .expect("is kept");
        }
    }
    world.stop().await;
}

async fn a_report_that_tells_of_few_people_is_not_made(world: World) {
    let round = world.open_round("r").await.name;
    let coordinator = world.coordinator();
    let unpublished = v1::Report { round: round.clone(), ..of(v1::ReportKind::Round) };
    assert_eq!(refused(make(&coordinator, unpublished, "").await), "ROUND_STATE");
    let nobody = make(&coordinator, of(v1::ReportKind::Programme), "").await.expect_err("nobody takes part");
    assert_eq!(reason(&nobody), "REPORT_BASE");
    let absent = v1::Report { round: "rounds/nowhere".to_owned(), ..of(v1::ReportKind::Round) };
    assert_eq!(refused(make(&coordinator, absent, "").await), "NOT_FOUND");
    let wrong = v1::Report {
        round,
        year: 2027,
        organisation: "wim-peru".to_owned(),
        ..of(v1::ReportKind::Committee)
    };
    assert_eq!(
        wrong_fields(make(&coordinator, wrong.clone(), "").await),
        ["report.organisation", "report.round", "report.organisation"]
    );
    let request = v1::CreateReportRequest { report: Some(wrong), validate_only: true, ..Default::default() };
    let checked = coordinator.reports.clone().create_report(request).await.expect("is checked").into_inner();
    assert_eq!((checked.report, checked.violations.len()), (None, 3));
    assert_eq!(wrong_fields(make(&coordinator, v1::Report::default(), "").await), ["report.kind"]);
    assert!(names(&coordinator).await.is_empty());
    world.stop().await;
}
