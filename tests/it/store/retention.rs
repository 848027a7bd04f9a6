//! Retention of runs: which runs are purged, and what remains of them.

use wim_match::domain::name::{RoundId, RunRef};
use wim_match::domain::run::{MatchView, RunState};
use wim_match::error::{Error, Reason};
use wim_match::store::Scope;

use super::fixture::{Fixture, at, outcome};
use super::on_both_databases;

on_both_databases! {
    superseded_runs_are_purged_and_the_newest_are_kept,
    an_interrupted_purge_is_continued,
    a_run_that_is_purged_does_not_exist,
}

/// A round with a run for each state, ended 2 seconds after its start: run `n` starts at `10 n` seconds.
async fn runs_that_ended(f: &Fixture, states: &[RunState]) -> RoundId {
    let (peru, kenya, round) = f.enrolled_round().await;
    for (state, number) in states.iter().zip(1..) {
        f.start_run(&round, at(number * 10)).await;
        let claim = f.claim("w", at(number * 10 + 1)).await;
        let end = || at(number * 10 + 2);
        match state {
            RunState::Succeeded => f.store.complete_run(&claim, end, &outcome(&peru, &kenya)).await,
            RunState::Failed => f.store.fail_run(&claim, end, Reason::Internal, "").await,
            _ => f.store.cancel_claimed_run(&claim, end).await,
        }
        .expect("ends");
    }
    round
}

async fn numbers(f: &Fixture, round: &RoundId) -> Vec<i64> {
    let runs = f.store.list_runs(&Scope::Alliance, round, None, 100).await.expect("lists");
    runs.iter().map(|run| run.name.number).collect()
}

async fn superseded_runs_are_purged_and_the_newest_are_kept(f: Fixture) {
    use RunState::{Cancelled, Failed, Succeeded};
    let states = [Succeeded, Failed, Succeeded, Cancelled, Succeeded, Succeeded, Failed, Failed];
    let round = runs_that_ended(&f, &states).await;
    for scope in [Scope::Alliance, Scope::Organisations(["wim-peru".parse().expect("an id")].into())] {
        assert!(matches!(f.store.purge_runs(&scope, at(999), at(999), 2).await, Err(Error::Internal(..))));
    }
    let purge =
        async |limit: i64| f.store.purge_runs(&Scope::System, at(999), at(limit), 2).await.expect("purges");
    assert_eq!(purge(12).await, 0, "the first run ended at 12");
    assert_eq!(purge(33).await, 2);
    assert_eq!(numbers(&f, &round).await, [8, 7, 6, 5, 4, 3]);
    assert_eq!(purge(900).await, 2);
    let kept = "the newest run, two that succeeded, and the one that the older of these follows";
    assert_eq!(numbers(&f, &round).await, [8, 6, 5, 3], "{kept}");
    assert_eq!(purge(900).await, 0);
    let mut raw = f.raw().await;
    for (table, rows) in [
        ("SELECT COUNT(*) FROM run_match", 6),
        ("SELECT COUNT(*) FROM run_unmatched", 6),
        ("SELECT COUNT(*) FROM run_own_summary", 6),
        ("SELECT COUNT(*) FROM run_organisation", 8),
        ("SELECT COUNT(*) FROM journal WHERE action = 'run.purge'", 4),
    ] {
        assert_eq!(raw.number(table).await, rows, "{table}");
    }
    assert_eq!(f.start_run(&round, at(1_000)).await.name.number, 9, "no number is given twice");
}

async fn an_interrupted_purge_is_continued(f: Fixture) {
    let round = runs_that_ended(&f, &[RunState::Succeeded; 2]).await;
    f.raw().await.execute("UPDATE run SET purge_micros = 1 WHERE number = 1; DELETE FROM run_match WHERE run_number = 1 AND ordinal = 1").await;
    assert_eq!(numbers(&f, &round).await, [2]);
    let purged = f.store.purge_runs(&Scope::System, at(99), at(0), 10).await.expect("purges");
    assert_eq!((purged, f.raw().await.number("SELECT COUNT(*) FROM run").await), (1, 1));
}

async fn a_run_that_is_purged_does_not_exist(f: Fixture) {
    let round = runs_that_ended(&f, &[RunState::Succeeded; 2]).await;
    f.raw().await.execute("UPDATE run SET purge_micros = 1 WHERE number = 1").await;
    let run = RunRef { round, number: 1 };
    let absent = |error: Error| assert!(matches!(error, Error::NotFound(name) if name == run.name()));
    absent(f.store.run(&Scope::Alliance, &run).await.expect_err("is purged"));
    absent(f.store.run_state(&Scope::Alliance, &run).await.expect_err("is purged"));
    absent(
        f.store.list_matches(&Scope::Alliance, &run, MatchView::Full, None, 10).await.expect_err("is purged"),
    );
    absent(f.store.list_unmatched(&Scope::Alliance, &run, None, 10).await.expect_err("is purged"));
    absent(f.store.load_snapshot(&Scope::System, &run).await.expect_err("is purged"));
}
