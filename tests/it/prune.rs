//! People whom an import does not name: they are shown first, and withdrawn only if the caller says how many they are.

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_profiles_request::Content as Ask;

use crate::refusal::wrong_fields;
use crate::world::{Manager, World, import_of, mentee, mentor, on_both_databases, send, soon};

on_both_databases! {
    absent_people_are_withdrawn_as_the_preview_has_shown,
    an_import_that_prunes_stores_nothing_if_somebody_has_come,
}

/// An import of these people with a header of its own.
async fn import(
    manager: &mut Manager,
    ids: &[&str],
    header: impl Fn(&mut v1::ImportHeader),
) -> Result<v1::ImportSummary, tonic::Status> {
    let people = ids.iter().map(|id| if *id == "mentor" { mentor(id, 3) } else { mentee(id) }).collect();
    let mut messages = import_of(&manager.organisation, people);
    if let Some(Ask::Header(first)) = &mut messages[0].content {
        header(first);
    }
    Ok(soon(send(&mut manager.client, messages)).await?.summary.expect("a summary"))
}

/// The live enrolments of a round by own id, as a manager sees them.
async fn enrolled(manager: &mut Manager, round: &str) -> Vec<String> {
    let live = manager.enrolments(round).await.into_iter().filter(|one| one.withdraw_time.is_none());
    live.map(|one| one.profile.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

async fn absent_people_are_withdrawn_as_the_preview_has_shown(world: World) {
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    for round in ["spring", "autumn", "over"] {
        world.open_round(round).await;
    }
    for manager in [&mut peru, &mut kenya] {
        manager
            .import(
                ["mentor", "a", "b", "c"]
                    .map(|id| if id == "mentor" { mentor(id, 3) } else { mentee(id) })
                    .to_vec(),
            )
            .await;
        for round in ["rounds/spring", "rounds/autumn", "rounds/over"] {
            manager.enrol_all(round).await;
        }
    }
    let closed = v1::CancelRoundRequest { name: "rounds/over".to_owned(), ..Default::default() };
    world.coordinator().rounds.cancel_round(closed).await.expect("is cancelled");

    // An import without `prune` withdraws nobody, and its preview shows whom `prune` would withdraw.
    let before = world.dump().await;
    let preview = import(&mut peru, &["mentor", "a"], |header| header.validate_only = true).await;
    let preview = preview.expect("is checked");
    assert_eq!((preview.absent, preview.pruned), (2, 4), "two people in two open rounds");
    assert_eq!(preview.absent_profiles, ["b", "c"].map(|id| peru.member(id)));
    assert_eq!(world.dump().await, before);
    let stored = import(&mut peru, &["mentor", "a"], |_| ()).await.expect("is stored");
    assert_eq!((stored.stored, stored.absent, stored.pruned), (true, 2, 0));
    assert_eq!(enrolled(&mut peru, "rounds/spring").await, ["a", "b", "c", "mentor"]);

    for wrong in [0, 1, 3, -1] {
        let refused = import(&mut peru, &["mentor", "a"], |header| header.prune = Some(wrong)).await;
        assert_eq!(wrong_fields(refused), ["header.prune"]);
    }
    assert_eq!(enrolled(&mut peru, "rounds/spring").await, ["a", "b", "c", "mentor"]);

    let id = wim_match::client::request_id();
    let prune = |header: &mut v1::ImportHeader| (header.prune, header.request_id) = (Some(2), id.clone());
    let pruned = import(&mut peru, &["mentor", "a"], prune).await.expect("is stored");
    assert_eq!((pruned.stored, pruned.absent, pruned.pruned), (true, 2, 4));
    assert_eq!(import(&mut peru, &["mentor", "a"], prune).await.expect("is the first answer"), pruned);
    for round in ["rounds/spring", "rounds/autumn"] {
        assert_eq!(enrolled(&mut peru, round).await, ["a", "mentor"]);
        assert_eq!(enrolled(&mut kenya, round).await, ["a", "b", "c", "mentor"], "others stay");
        let request = v1::GetRoundRequest { name: round.to_owned() };
        let counts = peru.client.rounds.get_round(request).await.expect("reads").into_inner().round;
        let counts = counts.and_then(|round| round.enrolment).expect("counts");
        assert_eq!((counts.profiles, counts.mentors, counts.mentees), (2, 1, 1));
    }
    assert_eq!(enrolled(&mut peru, "rounds/over").await, ["a", "b", "c", "mentor"], "the round has ended");
    let request = v1::GetProfileRequest { name: peru.member("b") };
    peru.client.profiles.get_profile(request).await.expect("the profile stays");
    let again =
        import(&mut peru, &["mentor", "a"], |header| header.prune = Some(2)).await.expect("is stored");
    assert_eq!(again.pruned, 0, "they are withdrawn already");
    world.stop().await;
}

async fn an_import_that_prunes_stores_nothing_if_somebody_has_come(world: World) {
    let mut peru = world.manager("wim-peru").await;
    world.open_round("spring").await;
    peru.import(vec![mentor("mentor", 3), mentee("a"), mentee("b")]).await;
    let preview = import(&mut peru, &["mentor"], |header| header.validate_only = true).await;
    assert_eq!(preview.expect("is checked").absent, 2);
    peru.import(vec![mentee("new")]).await;
    peru.enrol_all("rounds/spring").await;
    let refused = import(&mut peru, &["mentor", "other"], |header| header.prune = Some(2)).await;
    assert_eq!(wrong_fields(refused), ["header.prune"]);
    assert_eq!(enrolled(&mut peru, "rounds/spring").await, ["a", "b", "mentor", "new"]);
    let request = v1::GetProfileRequest { name: peru.member("other") };
    peru.client.profiles.get_profile(request).await.expect_err("nothing was stored");
    world.stop().await;
}
