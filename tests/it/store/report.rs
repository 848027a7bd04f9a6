//! What reports count, on both databases: the sums are those of a count by hand, and 100,000 mentorships with 1,000,000 check-ins are added
//! up in time.

use std::time::Duration;

use wim_match::clock::Stopwatch;
use wim_match::domain::report::ReportScope;
use wim_match::domain::report::facts::{ACCEPTED, COMPLETED, Division, ENDED_EARLY, PAIRS};
use wim_match::error::Error;
use wim_match::store::Scope;

use super::fixture::{Fixture, at};
use super::mentorship::{LATER, publish};
use super::on_both_databases;

on_both_databases! {
    the_sums_of_a_report_are_those_of_a_count_by_hand,
    a_report_is_never_changed,
}

async fn the_sums_of_a_report_are_those_of_a_count_by_hand(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let scope = ReportScope::Round(run.name.round.clone());
    let after_the_end = at(500 + LATER + 900_000);
    let facts = async || f.store.report_facts(&Scope::Alliance, &scope, after_the_end).await.expect("counts");
    assert!(facts().await.rounds.is_empty(), "nothing is published");
    publish(&f, &run, 100).await.expect("publishes");
    for change in [
        "UPDATE mentorship SET accept_micros = propose_micros, first_meeting_date = '2027-03-01', state = 'completed', \
         end_micros = propose_micros + 864000000000, mentor_answer = 'accepted', mentor_answer_micros = 1, \
         mentee_answer = 'accepted', mentee_answer_micros = 1 WHERE mentee_organisation_id = 'wim-peru'",
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, minutes, satisfaction, recommend, \
         goals_achieved, goals_partly, goals_missed, actor, create_micros) SELECT round_id, id, 'mentee', 'week_6', \
         mentee_organisation_id, '2027-04-01', 60, 5, 10, 1, 1, 1, 'p', 1 FROM mentorship WHERE state = 'completed'",
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, minutes, satisfaction, actor, \
         create_micros) SELECT round_id, id, 'mentee', 'end', mentee_organisation_id, '2027-10-01', 300, 4, 'p', 1 \
         FROM mentorship WHERE state = 'completed'",
    ] {
        f.raw().await.execute(change).await;
    }
    let facts = facts().await;
    let [(covered, _)] = &facts.rounds[..] else { panic!("one round") };
    assert_eq!((covered.run, covered.round.clone()), (run.name.number, run.name.round.clone()));
    let own = &facts.lives[&Division::Round][run.name.round.as_str()];
    assert_eq!(
        own[&peru],
        [(PAIRS, 1), ("decided", 1), (ACCEPTED, 1), ("begun", 1), (COMPLETED, 1), (ENDED_EARLY, 0)].into()
    );
    assert_eq!((own[&kenya][PAIRS], own[&kenya][ACCEPTED]), (1, 0));
    let [end] = &facts.ends[..] else { panic!("{:?}", facts.ends) };
    assert_eq!((end.day, end.is_early, end.pairs), (10, false, 1));
    let [answers] = &facts.answers[..] else { panic!("{:?}", facts.answers) };
    let sums = answers.sums;
    assert_eq!(
        (answers.side.as_str(), answers.organisation.clone(), sums.people),
        ("mentee", peru, [1, 1, 1, 1])
    );
    assert_eq!(
        (sums.satisfaction, sums.recommendation, sums.goals, sums.minutes),
        ((2, 9), (1, 1, 0), (3, 3), 300)
    );
    assert_eq!(sums.moments[1], 450, "the mean of both check-ins");
    assert_eq!(facts.names.len(), 2);
    // A year without a round, and one with it.
    let of = async |year| {
        let scope = ReportScope::Committee(year);
        f.store.report_facts(&Scope::Alliance, &scope, at(0)).await.expect("counts").rounds.len()
    };
    assert_eq!((of(1999).await, of(covered.start_date.year()).await), (0, 1));
}

async fn a_report_is_never_changed(f: Fixture) {
    let mut session = f.write().await;
    let scope = ReportScope::Programme;
    let new = wim_match::store::NewReport {
        id: "01890a5d-ac96-774b-bcce-b302099a8057",
        scope: &scope,
        list_version: 1,
        content: wim_match::domain::report::Content::default(),
        anchors: &wim_match::domain::suppression::partition::Anchors::new(),
        after: 0,
    };
    let (report, note) = session.create_report(new).await.expect("stores");
    session.commit(note, b"").await.expect("commits");
    let read = async || f.store.report(&Scope::Alliance, &report.id, None).await;
    assert_eq!(read().await.expect("reads"), report);
    let mut raw = f.raw().await;
    for change in ["UPDATE report SET content = '{}'", "DELETE FROM report"] {
        assert!(raw.try_execute(change).await.is_err(), "{change}");
    }
    assert_eq!(read().await.expect("reads"), report);
    let own = Scope::Organisations(std::collections::BTreeSet::from(["wim-peru".parse().expect("an id")]));
    assert!(matches!(f.store.report(&own, &report.id, None).await, Err(Error::NotFound(_))));
}

/// `cargo test --release --test it -- --ignored a_large_programme`.
async fn a_large_programme(f: Fixture, database: &str) {
    let (_, _, run) = f.succeeded_run().await;
    publish(&f, &run, 100).await.expect("publishes");
    for fill in [
        "INSERT INTO mentorship (round_id, id, run_number, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, \
         score, mentee_region, mentor_region, mentee_stage, mentee_language, waited_days, state, propose_micros, respond_until_micros, \
         mentor_answer, mentor_answer_micros, mentee_answer, mentee_answer_micros, accept_micros, first_meeting_date, end_micros, \
         end_reason, version, create_micros, update_micros) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 100000) SELECT (SELECT MIN(id) FROM round), 'x' || CAST(i AS TEXT), 1, \
         CASE WHEN i % 2 = 0 THEN 'wim-peru' ELSE 'wim-kenya' END, 'e' || CAST(i AS TEXT), 'wim-peru', 'o' || CAST(i AS TEXT), \
         i % 10001, CASE WHEN i % 3 = 0 THEN '005' ELSE '014' END, '005', 1 + i % 7, 'es', i % 90, \
         CASE WHEN i % 10 = 0 THEN 'ended_early' ELSE 'completed' END, 1, 1, 'accepted', 1, 'accepted', 1, 1, '2027-03-01', \
         86400000000 * CAST(1 + i % 270 AS BIGINT), 'no_time', 1, 1, 1 FROM n",
        "INSERT INTO check_in (round_id, mentorship_id, side, point, organisation_id, check_date, minutes, satisfaction, recommend, \
         goals_achieved, goals_partly, goals_missed, actor, create_micros) SELECT t.round_id, t.id, s.side, p.point, \
         CASE WHEN s.side = 'mentee' THEN t.mentee_organisation_id ELSE t.mentor_organisation_id END, '2027-10-01', 300, \
         1 + t.score % 5, t.score % 11, 2, 1, 1, 'p', 1 FROM mentorship t CROSS JOIN (SELECT 'mentee' AS side UNION ALL \
         SELECT 'mentor') s CROSS JOIN (SELECT 'week_6' AS point UNION ALL SELECT 'middle' UNION ALL SELECT 'end' UNION ALL \
         SELECT 'month_12' UNION ALL SELECT 'month_24') p WHERE t.id LIKE 'x%'",
    ] {
        f.raw().await.execute(fill).await;
    }
    let scope = ReportScope::Programme;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Stopwatch::start();
        let facts = f.store.report_facts(&Scope::Alliance, &scope, at(500 + LATER)).await.expect("counts");
        best = best.min(begun.elapsed());
        let pairs: u64 =
            facts.lives[&Division::Region].values().flat_map(|by| by.values()).map(|one| one[PAIRS]).sum();
        assert_eq!(pairs, 100_002);
    }
    assert!(best < Duration::from_secs(2), "{database}: {best:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fills a database with a million rows"]
async fn a_large_programme_is_counted_in_time() {
    a_large_programme(Fixture::sqlite().await, "SQLite").await;
    if let Some(f) = Fixture::postgresql().await {
        a_large_programme(f, "PostgreSQL").await;
    }
}
