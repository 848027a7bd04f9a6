//! Mentorships that publications make and end.

use jiff::Timestamp;
use wim_match::domain::mentorship::{DeclineReason, EndReason, EndSide, MentorshipState};
use wim_match::domain::name::RunRef;
use wim_match::domain::run::{Follow, Run};
use wim_match::domain::submission::{PublicationObstacle, Submission};
use wim_match::domain::waiting::WaitingCause;
use wim_match::error::{Error, Result};
use wim_match::store::{Notes, Receipt, Scope, Step, SubmissionEnd};

use super::fixture::{Fixture, at, fresh, outcome};
use super::on_both_databases;

on_both_databases! {
    a_publication_proposes_each_pair_once_and_is_taken_back_as_long_as_nobody_has_accepted,
    a_pair_that_has_declined_is_excluded_from_each_run_that_follows,
    the_waiting_list_reads_each_end_as_a_model_does,
}

/// Seconds from an approval to a time without objections.
pub(super) const LATER: i64 = 40 * 24 * 3_600;

async fn step(f: &Fixture, actor: &str, now: Timestamp, step: Step<'_>) -> Result<Submission> {
    let receipt = Receipt { actor: actor.to_owned(), scope: Scope::Alliance, now, request: None };
    let mut session = fresh(f.store.begin(receipt).await);
    let (submission, note) = session.step(&step).await?;
    session.commit(note.expect("something has changed"), b"").await?;
    Ok(submission)
}

/// Publishes a run at a moment.
pub(super) async fn publish(f: &Fixture, run: &Run, now: i64) -> Result<Submission> {
    let digest = &run.result_digest;
    let submission = step(f, "rosa", at(now), Step::Submit { run: &run.name, digest, comment: "" }).await?;
    let name = &submission.name;
    step(f, "amara", at(now), Step::Approve { name, digest, comment: "" }).await?;
    step(f, "rosa", at(now + LATER), Step::Publish(name)).await
}

async fn take_back(f: &Fixture, submission: &Submission, now: i64) -> Result<Submission> {
    let end = Step::End(&submission.name, SubmissionEnd::Unpublish, "Not yet.");
    step(f, "rosa", at(now), end).await
}

async fn in_state(f: &Fixture, state: &'static str) -> i64 {
    let text = match state {
        "proposed" => "SELECT COUNT(*) FROM mentorship WHERE state = 'proposed' AND end_micros IS NULL",
        "withdrawn" => "SELECT COUNT(*) FROM mentorship WHERE state = 'withdrawn' AND end_reason IS NOT NULL",
        _ => "SELECT COUNT(*) FROM mentorship",
    };
    f.raw().await.number(text).await
}

async fn a_publication_proposes_each_pair_once_and_is_taken_back_as_long_as_nobody_has_accepted(f: Fixture) {
    let (_, _, run) = f.succeeded_run().await;
    assert_eq!(in_state(&f, "all").await, 0);
    let published = publish(&f, &run, 100).await.expect("publishes");
    assert_eq!((in_state(&f, "proposed").await, in_state(&f, "all").await), (2, 2));
    let of_reports = "SELECT COUNT(*) FROM mentorship WHERE length(mentee_region) = 3 AND mentee_region <> mentor_region \
        AND mentee_stage IS NULL AND mentee_language = 'es' AND waited_days = 40 AND score >= 8000 AND version = 1";
    assert_eq!(f.raw().await.number(of_reports).await, 2, "what reports group by");
    take_back(&f, &published, 200 + LATER).await.expect("takes it back");
    assert_eq!((in_state(&f, "withdrawn").await, in_state(&f, "all").await), (2, 2));
    // The pairs begin anew with the next publication, and their versions go on.
    let published = publish(&f, &run, 300 + LATER).await.expect("publishes");
    assert_eq!((in_state(&f, "proposed").await, in_state(&f, "all").await), (2, 2));
    assert_eq!(f.raw().await.number("SELECT MIN(version) FROM mentorship").await, 3);
    let accept = "UPDATE mentorship SET mentee_answer = 'accepted', mentee_answer_micros = 1 \
        WHERE id = (SELECT MIN(id) FROM mentorship)";
    f.raw().await.execute(accept).await;
    let refused = take_back(&f, &published, 400 + 2 * LATER).await.expect_err("somebody has accepted");
    let Error::PublicationBlocked { obstacles, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(obstacles, [PublicationObstacle::Accepted]);
    assert_eq!(in_state(&f, "proposed").await, 2);
}

async fn a_pair_that_has_declined_is_excluded_from_each_run_that_follows(f: Fixture) {
    let (peru, kenya, run) = f.succeeded_run().await;
    publish(&f, &run, 100).await.expect("publishes");
    let round = &run.name.round;
    let calls = async || f.store.round(&Scope::Alliance, round).await.expect("exists").calls_for_repair;
    assert!(!calls().await);
    let decline = "UPDATE mentorship SET state = 'declined', mentee_answer = 'declined', mentee_answer_micros = 1, \
        end_micros = 1 WHERE mentee_organisation_id = 'wim-peru'";
    f.raw().await.execute(decline).await;
    assert!(calls().await, "a pair of the published run has declined");
    let mut session = f.write_at(at(200 + LATER), Scope::Alliance).await;
    let repair = Follow::Repair { number: run.name.number, most_changes: None };
    let excluded = session.exclude_ended_pairs(round).await.expect("vetoes");
    let (repair, note) = session.start_run(round, repair, None).await.expect("starts");
    let notes = Notes::of(excluded.into_iter().chain([note])).expect("notes");
    session.commit(notes, b"").await.expect("commits");
    let decisions = f.store.list_decisions(&Scope::Alliance, round, (0, false), 10).await.expect("lists");
    let [veto] = &decisions[..] else { panic!("one pair is vetoed: {decisions:?}") };
    assert_eq!(veto.pair.mentee.organisation, peru);
    // A worker that proposes the pair all the same is not published.
    let claim = f.claim("worker-1", at(201 + LATER)).await;
    assert_eq!(claim.run.name, repair.name);
    f.store.seal_run(&claim, &"ce".repeat(32)).await.expect("seals");
    f.store.complete_run(&claim, || at(202 + LATER), &outcome(&peru, &kenya)).await.expect("completes");
    let name = RunRef { round: round.clone(), number: repair.name.number };
    let repaired = f.store.run(&Scope::Alliance, &name).await.expect("exists");
    let refused = publish(&f, &repaired, 203 + LATER).await.expect_err("the pair has declined");
    let Error::PublicationBlocked { obstacles, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(obstacles, [PublicationObstacle::PairEnded]);
}

/// Why a mentee waits by the end of her mentorship.
fn cause_of(
    state: MentorshipState,
    declined: Option<DeclineReason>,
    side: Option<EndSide>,
    reason: Option<EndReason>,
) -> Option<WaitingCause> {
    use EndReason as Why;
    let is_hers = side == Some(EndSide::Mentee);
    match (state, reason) {
        (MentorshipState::Declined, _) => match declined {
            None => Some(WaitingCause::EarlyEnd),
            Some(DeclineReason::NoTime | DeclineReason::NoLongerAvailable) => None,
            Some(_) => Some(WaitingCause::NoMatch),
        },
        (MentorshipState::EndedEarly | MentorshipState::Withdrawn, Some(Why::Erased)) => {
            Some(WaitingCause::EarlyEnd)
        }
        (MentorshipState::EndedEarly, Some(why)) => match why {
            Why::GoalsReachedEarly | Why::ReplacedByRepair | Why::Unpublished => None,
            Why::NoShow | Why::PartnerUnresponsive => Some(match side {
                Some(EndSide::Mentee) => WaitingCause::EarlyEnd,
                Some(EndSide::Mentor) => WaitingCause::NoShow,
                Some(EndSide::Both | EndSide::Organisation) | None => WaitingCause::NoMatch,
            }),
            Why::ConductConcern => is_hers.then_some(WaitingCause::EarlyEnd),
            Why::NoLongerAvailable | Why::ChangedRole | Why::LeftSector if is_hers => None,
            _ => Some(if is_hers { WaitingCause::NoMatch } else { WaitingCause::EarlyEnd }),
        },
        _ => None,
    }
}

async fn the_waiting_list_reads_each_end_as_a_model_does(f: Fixture) {
    let (peru, _, run) = f.succeeded_run().await;
    publish(&f, &run, 100).await.expect("publishes");
    let mut ends =
        vec![(MentorshipState::Proposed, None, None, None), (MentorshipState::Declined, None, None, None)];
    ends.extend(DeclineReason::ALL.iter().map(|why| (MentorshipState::Declined, Some(*why), None, None)));
    for reason in EndReason::ALL {
        let sides = EndSide::ALL.iter().map(|side| Some(*side)).chain([None]);
        ends.extend(sides.map(|side| (MentorshipState::EndedEarly, None, side, Some(*reason))));
        ends.push((MentorshipState::Withdrawn, None, None, Some(*reason)));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (state, declined, side, reason) in ends {
        let text = |code: Option<&str>| code.map_or_else(|| "NULL".to_owned(), |code| format!("'{code}'"));
        let ended = if state == MentorshipState::Proposed { "NULL" } else { "7777000000000000" };
        let (answer, answered) = if declined.is_some() { ("'declined'", "1") } else { ("NULL", "NULL") };
        let change = format!(
            "UPDATE mentorship SET state = '{}', end_micros = {ended}, mentee_answer = {answer}, mentee_answer_micros = {answered}, \
             mentee_reason = {}, end_side = {}, end_reason = {} WHERE mentee_organisation_id = 'wim-peru'",
            state.as_str(),
            text(declined.map(DeclineReason::as_str)),
            text(side.map(EndSide::as_str)),
            text(reason.map(EndReason::as_str)),
        );
        f.raw().await.execute(&change).await;
        let found = f.store.list_waiting(&Scope::Alliance, None, None, 10).await.expect("lists");
        let told: Vec<_> = found.iter().map(|one| (&one.profile.organisation, one.cause)).collect();
        let expected = cause_of(state, declined, side, reason);
        assert_eq!(told, expected.map(|cause| (&peru, cause)).into_iter().collect::<Vec<_>>(), "{change}");
        if let (Some(one), Some(cause)) = (found.first(), expected) {
            assert_eq!((one.since.as_second(), &one.run, one.reason), (7_777_000_000, &run.name, None));
            seen.insert(cause);
        }
    }
    assert_eq!(seen.len(), 3, "an early end, no match and a no-show: {seen:?}");
}
