//! One profile at a time, beside imports of many: the same rules, the same versions, etags, and first answers.

use prost_types::FieldMask;
use tonic::Status;
use wim_match::api::convert::profile::message_of_draft;
use wim_match::api::proto::v1;
use wim_match::client::request_id;
use wim_match::domain::profile::FIELDS;

use crate::refusal::{reason, refused, wrong_fields};
use crate::world::{Manager, World, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_profile_is_created_once,
    fields_are_changed_one_by_one,
    a_change_that_is_only_checked_writes_nothing,
    a_repeated_request_gets_the_version_that_it_made,
    writers_with_etags_lose_no_change,
    some_profiles_are_read_by_their_names,
    enrolment_counts_follow_the_roles,
}

fn create(manager: &Manager, id: &str) -> v1::CreateProfileRequest {
    v1::CreateProfileRequest {
        parent: manager.name(),
        profile_id: id.to_owned(),
        profile: Some(v1::Profile { name: String::new(), ..message_of_draft(mentee(id)) }),
        ..v1::CreateProfileRequest::default()
    }
}

fn update(profile: v1::Profile, paths: &[&str]) -> v1::UpdateProfileRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    v1::UpdateProfileRequest {
        profile: Some(profile),
        update_mask: Some(FieldMask { paths }),
        ..v1::UpdateProfileRequest::default()
    }
}

async fn created(manager: &Manager, request: v1::CreateProfileRequest) -> Result<v1::Profile, Status> {
    let answer = manager.client.profiles.clone().create_profile(request).await?.into_inner();
    Ok(answer.profile.expect("a profile"))
}

async fn updated(manager: &Manager, request: v1::UpdateProfileRequest) -> Result<v1::Profile, Status> {
    let answer = manager.client.profiles.clone().update_profile(request).await?.into_inner();
    Ok(answer.profile.expect("a profile"))
}

async fn read(manager: &Manager, id: &str) -> v1::Profile {
    let request = v1::GetProfileRequest { name: manager.member(id) };
    let answer = manager.client.profiles.clone().get_profile(request).await.expect("reads");
    answer.into_inner().profile.expect("a profile")
}

async fn a_profile_is_created_once(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let made = created(&peru, create(&peru, "a")).await.expect("is created");
    assert_eq!((made.name.as_str(), made.version), (peru.member("a").as_str(), 1));
    assert_eq!(read(&peru, "a").await, made);
    // What an import would have stored is the same.
    peru.import(vec![mentee("b")]).await;
    let imported = read(&peru, "b").await;
    let of_import = v1::Profile {
        name: made.name.clone(),
        employer: made.employer.clone(),
        create_time: made.create_time,
        update_time: made.update_time,
        ..imported
    };
    assert_eq!(of_import, made);
    assert_eq!(refused(created(&peru, create(&peru, "a")).await), "ALREADY_EXISTS");
    let again = peru.import(vec![mentee("a")]).await;
    assert_eq!((again.created, again.unchanged), (0, 1));

    // All mistakes at once; the name in the profile is not read.
    let mut wrong = create(&peru, "a b");
    let profile = wrong.profile.as_mut().expect("a profile");
    (profile.country, profile.time_zone) = ("XX".to_owned(), "Mars".to_owned());
    "nonsense".clone_into(&mut profile.name);
    let request = v1::CreateProfileRequest { request_id: "x".to_owned(), ..wrong };
    let fields = wrong_fields(created(&peru, request).await);
    assert_eq!(fields, ["profile_id", "request_id", "profile.country", "profile.time_zone"]);
    let nowhere =
        v1::CreateProfileRequest { parent: "organisations/nowhere".to_owned(), ..create(&peru, "c") };
    assert_eq!(refused(created(&peru, nowhere).await), "NOT_FOUND");
    world.stop().await;
}

async fn fields_are_changed_one_by_one(world: World) {
    let peru = world.manager("wim-peru").await;
    let made = created(&peru, create(&peru, "a")).await.expect("is created");
    let given = v1::Profile { name: made.name.clone(), country: "CL".to_owned(), ..v1::Profile::default() };
    let changed = updated(&peru, update(given.clone(), &["country"])).await.expect("is changed");
    let expected = v1::Profile {
        country: "CL".to_owned(),
        region: changed.region.clone(),
        version: 2,
        etag: changed.etag.clone(),
        update_time: changed.update_time,
        ..made.clone()
    };
    assert_eq!(changed, expected);
    assert_ne!(changed.etag, made.etag);
    // The same again changes nothing, and the present etag is good.
    let same = v1::Profile { etag: changed.etag.clone(), ..given.clone() };
    assert_eq!(updated(&peru, update(same, &["country"])).await.expect("is unchanged"), changed);
    let stale = v1::Profile { etag: made.etag.clone(), ..given.clone() };
    assert_eq!(refused(updated(&peru, update(stale, &["country"])).await), "ETAG_MISMATCH");

    // A consent is added, and none is removed.
    let none = v1::Profile { consents: Vec::new(), ..changed.clone() };
    let kept = updated(&peru, update(none, &["consents"])).await.expect("is unchanged");
    assert_eq!(kept.consents, made.consents);
    assert!(!kept.consents.is_empty());

    // A field that is given empty becomes empty, and a warning tells of a word that was read so.
    let cleared = v1::Profile { employer: "n/a".to_owned(), ..changed.clone() };
    let answer = peru.client.profiles.clone().update_profile(update(cleared, &["employer"])).await;
    let answer = answer.expect("is changed").into_inner();
    assert_eq!(answer.profile.map(|profile| profile.employer), Some(String::new()));
    let warned: Vec<(&str, &str)> =
        answer.warnings.iter().map(|one| (one.field.as_str(), one.value.as_str())).collect();
    assert_eq!(warned, [("profile.employer", "n/a")]);

    // `*` takes all fields from the request.
    let whole = v1::Profile { name: made.name.clone(), ..message_of_draft(mentor("a", 2)) };
    let whole = updated(&peru, update(whole, &["*"])).await.expect("is changed");
    assert!(whole.mentor_offer.is_some() && whole.mentee_request.is_none() && whole.country == "PE");

    for (paths, field) in [
        (&[][..], "update_mask"),
        (&["name"], "update_mask.paths[0]"),
        (&["country", "etag"], "update_mask.paths[1]"),
    ] {
        assert_eq!(wrong_fields(updated(&peru, update(given.clone(), paths)).await), [field]);
    }
    let wrong = v1::Profile { name: made.name.clone(), languages: Vec::new(), ..v1::Profile::default() };
    assert_eq!(wrong_fields(updated(&peru, update(wrong, &["languages"])).await), ["profile.languages"]);
    let missing = v1::Profile { name: peru.member("nobody"), ..given };
    assert_eq!(refused(updated(&peru, update(missing, &["country"])).await), "NOT_FOUND");
    // Every field of the message that a caller gives can be named.
    let output = ["name", "region", "version", "etag", "create_time", "update_time"];
    assert!(FIELDS.iter().all(|field| !output.contains(field)) && FIELDS.len() + output.len() >= 27);
    world.stop().await;
}

async fn a_change_that_is_only_checked_writes_nothing(world: World) {
    let peru = world.manager("wim-peru").await;
    created(&peru, create(&peru, "a")).await.expect("is created");
    let before = world.dump().await;
    let mut profiles = peru.client.profiles.clone();
    let new =
        v1::CreateProfileRequest { validate_only: true, request_id: request_id(), ..create(&peru, "b") };
    let checked = profiles.create_profile(new.clone()).await.expect("is good").into_inner();
    assert_eq!(
        refused(created(&peru, v1::CreateProfileRequest { profile_id: "a".to_owned(), ..new.clone() }).await),
        "ALREADY_EXISTS"
    );
    let mut wrong = new.clone();
    "XX".clone_into(&mut wrong.profile.as_mut().expect("a profile").country);
    let told = profiles.create_profile(wrong).await.expect("is answered").into_inner();
    assert_eq!(told.violations.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), ["profile.country"]);
    assert!(told.profile.is_none());

    let present = read(&peru, "a").await;
    let given = v1::Profile { country: "CL".to_owned(), ..present.clone() };
    let change = v1::UpdateProfileRequest { validate_only: true, ..update(given, &["country"]) };
    let changed = updated(&peru, change.clone()).await.expect("is good");
    assert_eq!(world.dump().await, before, "nothing was written");

    let stored = created(&peru, v1::CreateProfileRequest { validate_only: false, ..new }).await;
    let stored = stored.expect("the real call is good");
    assert_eq!(checked.profile, Some(stored));
    let real = updated(&peru, v1::UpdateProfileRequest { validate_only: false, ..change }).await;
    assert_eq!(real.expect("the real call is good"), changed);
    world.stop().await;
}

async fn a_repeated_request_gets_the_version_that_it_made(world: World) {
    let peru = world.manager("wim-peru").await;
    let new = v1::CreateProfileRequest { request_id: request_id(), ..create(&peru, "a") };
    let first = created(&peru, new.clone()).await.expect("is created");
    let given = v1::Profile { country: "CL".to_owned(), ..first.clone() };
    let change = v1::UpdateProfileRequest { request_id: request_id(), ..update(given.clone(), &["country"]) };
    let second = updated(&peru, change.clone()).await.expect("is changed");
    let third = v1::Profile { country: "KE".to_owned(), etag: String::new(), ..given };
    updated(&peru, update(third, &["country"])).await.expect("is changed");
    assert_eq!(created(&peru, new.clone()).await.expect("is the first answer"), first);
    assert_eq!(updated(&peru, change.clone()).await.expect("is the first answer"), second);
    let other = v1::CreateProfileRequest { profile_id: "b".to_owned(), ..new };
    assert_eq!(refused(created(&peru, other).await), "REQUEST_ID_REUSED");
    let other = v1::UpdateProfileRequest {
        update_mask: Some(FieldMask { paths: vec!["goals".to_owned()] }),
        ..change
    };
    assert_eq!(refused(updated(&peru, other).await), "REQUEST_ID_REUSED");
    assert_eq!(read(&peru, "a").await.version, 3);
    world.stop().await;
}

/// Writers that read, change and write with the etag that they have read; one that comes too late reads again.
async fn writers_with_etags_lose_no_change(world: World) {
    const WRITERS: usize = 8;
    const CHANGES: usize = 10;
    let peru = world.manager("wim-peru").await;
    created(&peru, create(&peru, "a")).await.expect("is created");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (client, name) = (peru.client.clone(), peru.member("a"));
        let others: Vec<String> =
            (0..CHANGES).map(|change| peru.member(&format!("p{writer}-{change}"))).collect();
        writers.spawn(async move {
            for other in others {
                loop {
                    let request = v1::GetProfileRequest { name: name.clone() };
                    let present = client.profiles.clone().get_profile(request).await.expect("reads");
                    let mut given = present.into_inner().profile.expect("a profile");
                    given.preferred.push(other.clone());
                    match client.profiles.clone().update_profile(update(given, &["preferred"])).await {
                        Ok(_) => break,
                        Err(status) => assert_eq!(reason(&status), "ETAG_MISMATCH"),
                    }
                }
            }
        });
    }
    soon(writers.join_all()).await;
    let present = read(&peru, "a").await;
    assert_eq!(present.preferred.len(), WRITERS * CHANGES, "none is lost");
    assert_eq!(present.version, i64::try_from(1 + WRITERS * CHANGES).expect("few"), "one effect each");
    world.stop().await;
}

async fn some_profiles_are_read_by_their_names(world: World) {
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    for manager in [&mut peru, &mut kenya] {
        manager.import(vec![mentee("a"), mentee("b"), mentor("c", 1)]).await;
    }
    let names = |ids: &[&str]| ids.iter().map(|id| peru.member(id)).collect::<Vec<_>>();
    let read = async |client: &wim_match::client::Client, names: Vec<String>| {
        let request = v1::BatchGetProfilesRequest { parent: peru.name(), names };
        client.profiles.clone().batch_get_profiles(request).await.map(|answer| answer.into_inner().profiles)
    };
    let found = read(&peru.client, names(&["c", "a", "c"])).await.expect("reads");
    assert_eq!(found.iter().map(|profile| profile.name.clone()).collect::<Vec<_>>(), names(&["c", "a", "c"]));
    assert_eq!(refused(read(&peru.client, names(&["a", "nobody"])).await), "NOT_FOUND");
    assert_eq!(refused(read(&kenya.client, names(&["a"])).await), "NOT_FOUND");
    assert_eq!(wrong_fields(read(&peru.client, Vec::new()).await), ["names"]);
    assert_eq!(wrong_fields(read(&peru.client, vec![kenya.member("a")]).await), ["names[0]"]);
    assert_eq!(wrong_fields(read(&peru.client, vec![peru.member("a"); 101]).await), ["names"]);
    world.stop().await;
}

async fn enrolment_counts_follow_the_roles(world: World) {
    let mut peru = world.manager("wim-peru").await;
    world.open_round("r").await;
    peru.import(vec![mentee("a"), mentor("b", 1)]).await;
    peru.enrol_all("rounds/r").await;
    let counts = async || {
        let request = v1::GetRoundRequest { name: "rounds/r".to_owned() };
        let round = peru.client.rounds.clone().get_round(request).await.expect("reads").into_inner().round;
        let counts = round.and_then(|round| round.enrolment).expect("counts");
        (counts.profiles, counts.mentors, counts.mentees)
    };
    assert_eq!(counts().await, (2, 1, 1));
    let present = read(&peru, "a").await;
    let given = v1::Profile {
        mentor_offer: message_of_draft(mentor("a", 2)).mentor_offer,
        mentee_request: None,
        ..present
    };
    updated(&peru, update(given, &["mentor_offer", "mentee_request"])).await.expect("is changed");
    assert_eq!(counts().await, (2, 2, 0));
    world.stop().await;
}
