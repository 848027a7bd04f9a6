//! What the outcomes of mentorships say about weights: who may ask, what a small base says, and what is wrong.

use wim_match::api::proto::v1;
use wim_match::client::Client;

use crate::refusal::{refused, wrong_fields};
use crate::review::{approve, cast, publish, submission_of, submit, two_people};
use crate::world::{World, on_both_databases};

on_both_databases! {
    two_mentorships_say_nothing_and_name_no_private_criterion,
    what_is_asked_is_checked,
}

fn about(round: &str, replays: i32) -> v1::SuggestWeightsRequest {
    v1::SuggestWeightsRequest { name: round.to_owned(), replays }
}

async fn asked(client: &Client, round: &str) -> v1::SuggestWeightsResponse {
    client.rounds.clone().suggest_weights(about(round, 3)).await.expect("answers").into_inner()
}

async fn two_mentorships_say_nothing_and_name_no_private_criterion(world: World) {
    let cast = Box::pin(cast(world, v1::Policy::default())).await;
    let people = two_people(&cast.world).await;
    let before = asked(&people[0], &cast.round).await;
    let submission = submit(&people[0], submission_of(&cast.run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    let stored = cast.world.dump().await;
    let answer = asked(&people[0], &cast.round).await;
    assert_eq!(cast.world.dump().await, stored, "nothing is stored");
    assert_eq!(answer, before, "two mentorships are too few to be told");
    let advice = answer.advice.expect("an advice");
    assert_eq!((advice.with_satisfaction, advice.with_end), (None, None));
    assert!(answer.replays.is_empty(), "nothing is suggested");
    for one in &advice.criteria {
        assert_eq!(one.verdict(), v1::WeightVerdict::TooFew);
        assert_eq!(one.weight, one.suggested_weight);
        assert!(
            ![v1::Criterion::Preference, v1::Criterion::PrivateAnswers].contains(&one.criterion()),
            "{one:?} is private"
        );
    }
    assert!(advice.criteria.iter().any(|one| one.criterion() == v1::Criterion::Topics));
    cast.world.stop().await;
}

async fn what_is_asked_is_checked(world: World) {
    let cast = Box::pin(cast(world, v1::Policy::default())).await;
    let coordinator = cast.world.coordinator();
    for replays in [-1, 11] {
        let wrong = coordinator.rounds.clone().suggest_weights(about(&cast.round, replays)).await;
        assert_eq!(wrong_fields(wrong), ["replays"]);
    }
    let unknown = coordinator.rounds.clone().suggest_weights(about("rounds/nowhere", 0)).await;
    assert_eq!(refused(unknown), "NOT_FOUND");
    let manager = cast.kenya.client.rounds.clone().suggest_weights(about(&cast.round, 0)).await;
    assert_eq!(refused(manager), "PERMISSION_DENIED");
    cast.world.stop().await;
}
