//! People who take part in nothing any more are erased after the time that their organisation has set, and nobody else is.

use std::time::Duration;

use prost_types::FieldMask;
use wim_match::api::proto::v1;
use wim_match::client::request_id;

use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, mentee, mentor, on_both_databases};

on_both_databases! {
    whoever_takes_part_in_nothing_is_erased_after_the_time_of_her_organisation,
    a_purge_is_checked_repeated_and_refused_like_an_organisation_that_does_not_exist,
}

const DAY: Duration = Duration::from_hours(24);

async fn set_days(manager: &Manager, days: i32) -> Result<(), tonic::Status> {
    let organisation =
        v1::Organisation { name: manager.name(), idle_profile_days: days, ..v1::Organisation::default() };
    let request = v1::UpdateOrganisationRequest {
        organisation: Some(organisation),
        update_mask: Some(FieldMask { paths: vec!["idle_profile_days".to_owned()] }),
        ..v1::UpdateOrganisationRequest::default()
    };
    manager.client.organisations.clone().update_organisation(request).await.map(drop)
}

async fn purge(manager: &Manager, validate_only: bool) -> v1::PurgeReport {
    let request = v1::PurgeExpiredRequest {
        parent: manager.name(),
        validate_only,
        ..v1::PurgeExpiredRequest::default()
    };
    let answer = manager.client.privacy.clone().purge_expired(request).await.expect("purges").into_inner();
    answer.report.expect("a report")
}

async fn people(manager: &Manager) -> Vec<String> {
    let request = v1::ListProfilesRequest { parent: manager.name(), ..v1::ListProfilesRequest::default() };
    let listed = manager.client.profiles.clone().list_profiles(request).await.expect("lists").into_inner();
    let own = |profile: v1::Profile| profile.name.rsplit('/').next().expect("a segment").to_owned();
    listed.profiles.into_iter().map(own).collect()
}

async fn end(world: &World, round: &str) {
    let request = v1::CancelRoundRequest { name: round.to_owned(), ..v1::CancelRoundRequest::default() };
    world.coordinator().rounds.cancel_round(request).await.expect("is cancelled");
}

async fn whoever_takes_part_in_nothing_is_erased_after_the_time_of_her_organisation(world: World) {
    let open = world.open_round("open").await.name;
    let ended = world.open_round("ended").await.name;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    let all = ["active", "alone", "changed", "ended", "held", "withdrawn"];
    peru.import(all.map(mentee).to_vec()).await;
    kenya.import(vec![mentor("alone", 1)]).await;
    peru.enrol(&open, &["active", "withdrawn"]).await;
    peru.enrol(&ended, &["ended"]).await;
    let reason = v1::RestrictionReason::LegalClaim.into();
    let hold = v1::RestrictProfileRequest { name: peru.member("held"), reason, ..Default::default() };
    peru.client.privacy.restrict_profile(hold).await.expect("is restricted");
    set_days(&peru, 30).await.expect("is set");

    // Each on her own day: 10, 20 and 25 days after the others something of these three is over.
    world.clock().advance(10 * DAY);
    let names = peru.enrolments(&open).await;
    let withdraw = v1::WithdrawEnrolmentsRequest {
        parent: open.clone(),
        organisation: peru.name(),
        enrolments: names
            .into_iter()
            .filter(|one| one.profile == peru.member("withdrawn"))
            .map(|one| one.name)
            .collect(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    peru.client.rounds.withdraw_enrolments(withdraw).await.expect("is withdrawn");
    world.clock().advance(10 * DAY);
    end(&world, &ended).await;
    world.clock().advance(5 * DAY);
    let mut changed = mentee("changed");
    "Another".clone_into(&mut changed.employer);
    peru.import(vec![changed]).await;

    let nobody = v1::PurgeReport { profiles: 0, ..v1::PurgeReport::default() };
    let told = v1::PurgeReport { idle_before_time: None, ..purge(&peru, true).await };
    assert_eq!(told, nobody, "25 days are not 30");
    let mut left = all.to_vec();
    // The days on which each is erased, a minute after the end of her time.
    world.clock().advance(Duration::from_mins(1));
    for (days, gone, versions, enrolments) in
        [(5, "alone", 1, 0), (10, "withdrawn", 1, 1), (10, "ended", 1, 1), (5, "changed", 2, 0)]
    {
        world.clock().advance(days * DAY);
        let preview = purge(&peru, true).await;
        assert_eq!(
            (preview.profiles, preview.versions, preview.enrolments),
            (1, versions, enrolments),
            "{gone}"
        );
        assert_eq!(people(&peru).await, left);
        if gone == "ended" {
            // Housekeeping does the same.
            assert_eq!(world.server().service().purge_idle_profiles().await.expect("purges"), 1);
        } else {
            assert_eq!(purge(&peru, false).await, preview, "the check answers what the call answers");
        }
        left.retain(|id| *id != gone);
        assert_eq!(people(&peru).await, left);
    }
    world.clock().advance(4_000 * DAY);
    assert_eq!(purge(&peru, false).await.profiles, 0, "one takes part and one is restricted");
    assert_eq!(left, ["active", "held"]);
    assert_eq!(people(&kenya).await, ["alone"], "an organisation without a time keeps everybody");
    assert_eq!(purge(&kenya, false).await, nobody);
    assert_eq!(world.server().service().purge_idle_profiles().await.expect("purges"), 0);

    // Whoever was erased has a receipt and a tombstone.
    let dump = world.dump().await;
    for id in ["alone", "withdrawn", "ended", "changed"] {
        let own = format!("profiles/{id}\"");
        assert!(dump.iter().all(|row| !row.contains(&own)), "{id}");
    }
    world.stop().await;
}

async fn a_purge_is_checked_repeated_and_refused_like_an_organisation_that_does_not_exist(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let kenya = world.manager("wim-kenya").await;
    peru.import(vec![mentee("a"), mentee("b")]).await;
    for (days, good) in
        [(-1, false), (1, false), (29, false), (30, true), (3_650, true), (3_651, false), (0, true)]
    {
        let answer = set_days(&peru, days).await;
        if good {
            answer.expect("is a time");
        } else {
            assert_eq!(wrong_fields(answer), ["organisation.idle_profile_days"], "{days}");
        }
    }
    set_days(&peru, 90).await.expect("is set");
    world.clock().advance(91 * DAY);
    let (before, id) = (world.dump().await, request_id());
    let request = |validate_only| v1::PurgeExpiredRequest {
        parent: peru.name(),
        request_id: id.clone(),
        validate_only,
    };
    let mut privacy = peru.client.privacy.clone();
    let checked = privacy.purge_expired(request(true)).await.expect("checks").into_inner();
    assert_eq!(world.dump().await, before, "nothing was written");
    let first = privacy.purge_expired(request(false)).await.expect("purges").into_inner();
    assert_eq!(first, checked);
    let report = first.report.expect("a report");
    assert_eq!((report.profiles, report.versions, report.profiles_left), (2, 2, 0));
    let again = privacy.purge_expired(request(false)).await.expect("again").into_inner();
    assert_eq!(again, first, "and nobody more is erased");
    assert_eq!(people(&peru).await, Vec::<String>::new());

    let mut other = kenya.client.privacy.clone();
    let foreign =
        other.purge_expired(v1::PurgeExpiredRequest { request_id: String::new(), ..request(false) }).await;
    let nowhere =
        v1::PurgeExpiredRequest { parent: "organisations/wim-nowhere".to_owned(), ..Default::default() };
    let missing = other.purge_expired(nowhere).await;
    let told = |status: &tonic::Status, name: &str| status.message().replace(name, "…");
    assert_eq!(
        told(foreign.as_ref().expect_err("is refused"), &peru.name()),
        told(missing.as_ref().expect_err("is refused"), "organisations/wim-nowhere")
    );
    assert_eq!((refused(foreign), refused(missing)), ("NOT_FOUND".to_owned(), "NOT_FOUND".to_owned()));
    world.stop().await;
}
