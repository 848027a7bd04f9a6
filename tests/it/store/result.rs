//! What runs came to, and who may see it.

use wim_match::domain::round::RoundState;
use wim_match::domain::run::{Digests, Match, MatchView, RunState, Side};
use wim_match::error::Error;
use wim_match::store::Scope;

use super::fixture::{Fixture, at, mentee, mentor, of, only, outcome, person, salt};
use super::on_both_databases;

on_both_databases! {
    an_outcome_is_saved_whole,
    a_saved_outcome_takes_the_round_to_review,
    an_outcome_is_saved_all_or_nothing,
    an_outcome_larger_than_a_bulk_is_saved_and_paged,
    a_manager_sees_the_matches_of_her_own_members,
    a_caller_for_several_organisations_reads_the_rows_of_each_once,
    a_match_of_one_organisation_is_listed_once,
    a_manager_sees_her_own_unmatched_members,
    a_manager_sees_her_own_numbers_only,
    a_pair_is_found_by_those_who_may_see_it,
}

async fn an_outcome_is_saved_whole(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let saved = outcome(&peru, &kenya);
    assert_eq!((run.state, run.end_time), (RunState::Succeeded, Some(at(12))));
    assert_eq!(run.engine_version, saved.engine_version);
    let Digests { open_input, open_result, whole_result } = &saved.digests;
    assert_eq!((run.input_digest, run.result_digest), (salt().keyed(open_input), salt().keyed(open_result)));
    let internal = f.store.run(&Scope::System, &run.name).await.expect("exists");
    assert_eq!((&internal.result_digest, internal.input_digest.len()), (whole_result, 64));
    assert_eq!(run.summary.as_ref(), Some(&saved.summary));
    let matches =
        f.store.list_matches(&Scope::Alliance, &run.name, MatchView::Full, None, 10).await.expect("lists");
    let id = |pair: &Match| salt().match_id(&pair.mentee, &pair.mentor);
    assert!(matches.iter().all(|found| found.id == id(&found.pair)));
    assert_eq!(matches.into_iter().map(|m| m.pair).collect::<Vec<_>>(), saved.matches);
    let unmatched = f.store.list_unmatched(&Scope::Alliance, &run.name, None, 10).await.expect("lists");
    assert_eq!(unmatched.into_iter().collect::<Vec<_>>(), saved.unmatched);
    assert_eq!(f.stored_certificate(&run.name).await, saved.certificate);
}

async fn a_saved_outcome_takes_the_round_to_review(f: Fixture) {
    let (_, _, run) = f.succeeded_run().await;
    let round = f.store.round(&Scope::Alliance, &run.name.round).await.expect("exists");
    assert_eq!((round.state, round.update_time), (RoundState::Review, at(0)));
    let lines = f.journal(&Scope::Alliance).await;
    let last = lines.last().expect("a line");
    assert_eq!((last.action.as_str(), last.actor.as_str()), ("run.succeed", "worker:worker-1"));
}

async fn an_outcome_is_saved_all_or_nothing(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(10)).await.name;
    let claim = f.claim("w", at(11)).await;
    let before = f.store.run(&Scope::Alliance, &run).await.expect("exists");
    let mut wrong = outcome(&peru, &kenya);
    // Not a participant: the last row breaks the outcome.
    wrong.unmatched[1].profile = person(&kenya, "nobody");
    // The moment of the end is read after all rows are staged.
    let too_early = || panic!("the run has not ended");
    f.store.complete_run(&claim, too_early, &wrong).await.expect_err("does not fit the snapshot");
    assert_eq!(f.raw().await.number("SELECT COUNT(*) FROM run_match").await, 2, "staged, and hidden");
    assert_eq!(
        f.store.list_matches(&Scope::Alliance, &run, MatchView::Full, None, 10).await.expect("lists"),
        []
    );
    let mut wrong = outcome(&peru, &kenya);
    wrong.matches[1] = wrong.matches[0].clone();
    f.store.complete_run(&claim, too_early, &wrong).await.expect_err("matches a pair twice");
    assert_eq!(f.store.run(&Scope::Alliance, &run).await.expect("exists"), before);
    assert_eq!(
        f.store.list_matches(&Scope::Alliance, &run, MatchView::Full, None, 10).await.expect("lists"),
        []
    );
    f.store.complete_run(&claim, || at(13), &outcome(&peru, &kenya)).await.expect("the claim still holds");
}

async fn an_outcome_larger_than_a_bulk_is_saved_and_paged(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    let names: Vec<String> = (0..257).map(|n| format!("m{n:03}")).collect();
    let mentees: Vec<(&str, _)> = names.iter().map(|name| (name.as_str(), mentee())).collect();
    f.import(&peru, "i-1", &mentees).await;
    f.import(&kenya, "i-2", &[("mentor", mentor(2))]).await;
    let round = f.round("spring-2027").await.id;
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(f.enrol(&round, &peru, &ids).await, 257);
    f.enrol(&round, &kenya, &["mentor"]).await;
    f.start_run(&round, at(10)).await;
    let claim = f.claim("w", at(11)).await;
    let mut result = outcome(&peru, &kenya);
    let model = result.matches[0].clone();
    result.matches =
        names.iter().map(|name| Match { mentee: person(&peru, name), ..model.clone() }).collect();
    result.unmatched.clear();
    result.unmatched_for_managers.clear();
    f.store.complete_run(&claim, || at(12), &result).await.expect("completes");
    for scope in [Scope::Alliance, only(&peru), only(&kenya)] {
        let (mut seen, mut after): (Vec<Match>, Option<String>) = (Vec::new(), None);
        loop {
            let page = f
                .store
                .list_matches(&scope, &claim.run.name, MatchView::Full, after.as_deref(), 100)
                .await
                .expect("lists");
            after = page.last().map(|last| last.id.clone());
            let full = page.len() == 100;
            seen.extend(page.into_iter().map(|m| m.pair));
            if !full {
                break;
            }
        }
        let mut expected = result.matches.clone();
        expected.sort_by_key(|pair| salt().match_id(&pair.mentee, &pair.mentor));
        assert_eq!(seen, expected, "equal scores are in the order of the ids, {scope:?}");
    }
}

async fn a_manager_sees_the_matches_of_her_own_members(f: Fixture) {
    let (peru, _, run) = f.succeeded_run().await;
    let matches =
        f.store.list_matches(&only(&peru), &run.name, MatchView::Full, None, 10).await.expect("lists");
    assert_eq!(matches.len(), 2, "her mentee's and her mentor's");
    let stranger = only(&f.organisation("wim-chad").await);
    assert_eq!(
        f.store.list_matches(&stranger, &run.name, MatchView::Full, None, 10).await.expect("lists"),
        []
    );
    let first = Some(matches[0].id.as_str());
    let rest =
        f.store.list_matches(&only(&peru), &run.name, MatchView::Full, first, 10).await.expect("lists");
    assert_eq!(rest, matches[1..]);
}

async fn a_caller_for_several_organisations_reads_the_rows_of_each_once(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    f.organisation("wim-chad").await;
    let chad = "wim-chad".parse().expect("an id");
    let all = async |scope: &Scope, view| {
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let page =
                f.store.list_matches(scope, &run.name, view, after.as_deref(), 1).await.expect("lists");
            let Some(last) = page.last() else { return seen };
            assert_eq!(page.len(), 1);
            after = Some(last.id.clone());
            seen.extend(page);
        }
    };
    for scope in [of(&[&kenya, &peru]), of(&[&chad, &peru, &kenya])] {
        for view in [MatchView::Basic, MatchView::Full] {
            assert_eq!(all(&scope, view).await, all(&Scope::Alliance, view).await, "{scope:?}");
        }
        let unmatched = f.store.list_unmatched(&scope, &run.name, None, 10).await.expect("lists");
        assert_eq!(unmatched, outcome(&peru, &kenya).unmatched_for_managers, "as managers read them");
        assert_eq!(f.store.list_unmatched(&scope, &run.name, None, 1).await.expect("lists").len(), 1);
        let seen = f.store.run(&scope, &run.name).await.expect("exists");
        assert_eq!(seen.summary, None, "the summaries are each about one organisation");
        assert_eq!(f.store.list_runs(&scope, &run.name.round, None, 10).await.expect("lists"), [seen]);
        assert_eq!(f.store.list_organisations(&scope, None, 1).await.expect("lists").len(), 1);
    }
    let alone = f.store.run(&of(&[&chad, &peru]), &run.name).await.expect("exists");
    assert_eq!(alone, f.store.run(&only(&peru), &run.name).await.expect("exists"));
    assert_eq!(all(&of(&[&chad, &peru]), MatchView::Full).await, all(&only(&peru), MatchView::Full).await);
    assert!(matches!(f.store.run(&of(&[]), &run.name).await, Err(Error::NotFound(_))), "of nobody: nothing");
    assert_eq!(f.store.list_organisations(&of(&[]), None, 10).await.expect("lists"), []);
}

async fn a_match_of_one_organisation_is_listed_once(f: Fixture) {
    let (peru, kenya, round) = f.enrolled_round().await;
    f.start_run(&round, at(10)).await;
    let claim = f.claim("w", at(11)).await;
    let mut result = outcome(&peru, &kenya);
    result.matches[0].mentor = person(&peru, "mentor");
    result.matches[1].mentor = person(&kenya, "mentor");
    f.store.complete_run(&claim, || at(12), &result).await.expect("completes");
    let matches =
        f.store.list_matches(&only(&peru), &claim.run.name, MatchView::Full, None, 10).await.expect("lists");
    assert_eq!(matches.into_iter().map(|m| m.pair).collect::<Vec<_>>(), result.matches[..1]);
}

async fn a_manager_sees_her_own_unmatched_members(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let saved = outcome(&peru, &kenya);
    let unmatched = f.store.list_unmatched(&only(&kenya), &run.name, None, 10).await.expect("lists");
    assert_eq!(unmatched, saved.unmatched_for_managers[1..], "with counts in bands");
    let first = Some((Some(Side::Mentor), &saved.unmatched[0].profile));
    let rest = f.store.list_unmatched(&Scope::Alliance, &run.name, first, 10).await.expect("lists");
    assert_eq!(rest, saved.unmatched[1..], "a page continues after a person");
}

async fn a_manager_sees_her_own_numbers_only(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let saved = outcome(&peru, &kenya);
    let listed = f.store.list_runs(&only(&peru), &run.name.round, None, 10).await.expect("lists").remove(0);
    for run in [f.store.run(&only(&peru), &run.name).await.expect("exists"), listed] {
        assert_eq!(run.summary.as_ref(), saved.summaries.get(&peru));
        assert_eq!((run.input_digest.as_str(), run.result_digest.as_str()), ("", ""));
    }
    let stranger = only(&f.organisation("wim-chad").await);
    let seen = f.store.run(&stranger, &run.name).await.expect("exists");
    assert_eq!(seen.summary, None, "an organisation without members in the run has no numbers");
}

async fn a_pair_is_found_by_those_who_may_see_it(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    let (mentee, mentor) = (person(&peru, "mentee"), person(&kenya, "mentor"));
    let stranger = Scope::Organisations(["wim-chad".parse().expect("an id")].into());
    for (scope, seen) in
        [(Scope::Alliance, true), (only(&peru), true), (only(&kenya), true), (stranger, false)]
    {
        let found = f.store.match_of(&scope, &run.name, &mentee, &mentor).await.expect("asks");
        assert_eq!(found.map(|m| m.pair.score), seen.then_some(8_500), "{scope:?}");
    }
    let other_way_round =
        f.store.match_of(&Scope::Alliance, &run.name, &mentor, &mentee).await.expect("asks");
    assert_eq!(other_way_round, None);
}
