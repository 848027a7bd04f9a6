//! Imports: staged in pieces, kept as a whole.

use std::collections::BTreeMap;

use wim_match::domain::name::OwnId;
use wim_match::domain::profile::{Consent, ConsentPurpose, Profile};
use wim_match::error::Error;
use wim_match::store::{ImportCounts, ImportKey, Scope, StagedRow};

use super::fixture::{Fixture, at, mentee, mentor, only, own_id, person, profile, rows, with_ids};
use super::on_both_databases;

on_both_databases! {
    an_import_creates_updates_and_leaves_alone,
    every_version_of_a_profile_is_kept,
    more_rows_than_one_statement_and_one_step_takes_are_staged,
    imports_at_the_same_time_lose_no_withdrawal,
    a_merge_finds_what_is_stored_of_people,
    staged_rows_are_seen_by_nobody,
    imports_in_any_order_store_what_a_model_stores,
    an_enrolment_before_the_end_moves_the_counters_too,
    rows_staged_after_the_comparison_end_nothing,
    a_discard_that_has_begun_cannot_be_finished,
    staging_gives_way_to_other_writers_and_loses_no_row,
    imports_side_by_side_do_not_mix,
    an_import_is_finished_once,
    a_discarded_import_leaves_no_rows,
    stale_imports_are_purged,
    a_manager_imports_into_her_own_organisation_only,
    foreign_profiles_do_not_exist,
    profiles_are_listed_in_pages_by_the_bytes_of_their_ids,
    a_failed_finish_keeps_the_rows_and_the_profiles,
}

async fn an_import_creates_updates_and_leaves_alone(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let first = f.import(&peru, "i-1", &[("a", mentor(1)), ("b", mentee()), ("c", mentee())]).await;
    assert_eq!(first, ImportCounts { created: 3, updated: 0, unchanged: 0 });
    let second = f.import(&peru, "i-2", &[("a", mentor(1)), ("b", mentor(2)), ("d", mentee())]).await;
    assert_eq!(second, ImportCounts { created: 1, updated: 1, unchanged: 1 });
    let stored = f.store.list_profiles(&only(&peru), &peru, None, 10, usize::MAX).await.expect("lists").0;
    let seen: Vec<_> = stored.iter().map(|p| (p.name.id.as_str(), p.version, p.content.clone())).collect();
    assert_eq!(seen, [("a", 1, mentor(1)), ("b", 2, mentor(2)), ("c", 1, mentee()), ("d", 1, mentee())]);
    assert_eq!((stored[1].create_time, stored[1].update_time), (at(1), at(1)));
    assert_eq!(stored[1].digest.len(), 64);
    let lines = f.journal(&Scope::Alliance).await;
    assert!(
        lines.iter().any(|line| line.action == "profile.import" && line.detail.contains(r#""updated":1"#))
    );
    assert!(lines.iter().all(|line| !line.detail.contains("time_zone")), "no answers in the journal");
}

async fn every_version_of_a_profile_is_kept(f: Fixture) {
    let (_, _, round) = f.enrolled_round().await;
    let run = f.start_run(&round, at(5)).await;
    let before = f.store.load_snapshot(&Scope::System, &run.name).await.expect("loads");
    let peru = "wim-peru".parse().expect("an id");
    f.import(&peru, "i-9", &[("mentor", mentor(9))]).await;
    assert_eq!(f.store.load_snapshot(&Scope::System, &run.name).await.expect("loads"), before);
    let now = f.store.profile(&only(&peru), &person(&peru, "mentor")).await.expect("exists");
    assert_eq!((now.version, now.content), (2, mentor(9)));
}

async fn more_rows_than_one_statement_and_one_step_takes_are_staged(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    let rows = (0..2_305_i64).map(|n| StagedRow::new(own_id(&format!("p{n:04}")), None, &mentee()));
    let rows = rows.collect::<Result<Vec<_>, _>>().expect("rows");
    f.store.stage_rows(&key, rows.clone(), at(0)).await.expect("stages");
    let twice = f.store.stage_rows(&key, rows[..1].to_vec(), at(0)).await;
    assert!(twice.is_err(), "the caller finds people who are named twice");
    assert_eq!(f.finish(&key, at(0)).await.expect("finishes").created, 2_305);
    let ids = f.store.list_profile_ids(&only(&peru), &peru, Some(&own_id("p2299")), 3).await.expect("lists");
    assert_eq!(ids, ["p2300", "p2301", "p2302"].map(own_id));
}

/// The consents of a mentee, at seconds of the year.
fn consenting(consents: &[(i64, Option<i64>)]) -> Profile {
    let consent = |(give, withdraw): &(i64, Option<i64>)| Consent {
        purpose: ConsentPurpose::Matching,
        give_time: at(*give),
        text_version: "1".to_owned(),
        language: "es".to_owned(),
        withdraw_time: withdraw.map(at),
    };
    Profile { consents: consents.iter().map(consent).collect(), ..mentee() }
}

async fn imports_at_the_same_time_lose_no_withdrawal(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let row = |profile: &Profile| vec![StagedRow::new(own_id("a"), None, profile).expect("a row")];
    let (given, withdrawn) = (consenting(&[(1, None)]), consenting(&[(1, Some(5))]));
    let begin = |id| f.store.begin_import(&Scope::Alliance, &peru, id, at(9));
    let (one, two, three) = (begin("i-1").await, begin("i-2").await, begin("i-3").await);
    let (one, two, three) = (one.expect("begins"), two.expect("begins"), three.expect("begins"));
    f.store.stage_rows(&one, row(&withdrawn), at(9)).await.expect("stages");
    f.store.stage_rows(&two, row(&given), at(9)).await.expect("stages");
    f.store.stage_rows(&three, row(&consenting(&[(7, None)])), at(9)).await.expect("stages");
    let early = f.store.ready_import(&two, at(9)).await.expect("is ready");
    assert_eq!(f.finish(&one, at(9)).await.expect("finishes").created, 1);
    let mut session = f.write().await;
    assert_eq!(
        session.finish_import(&two, early).await.expect("answers"),
        None,
        "another import has finished"
    );
    drop(session);
    let counts = f.finish(&two, at(9)).await.expect("finishes");
    assert_eq!(counts, ImportCounts { unchanged: 1, ..ImportCounts::default() }, "says less than is stored");
    let stored =
        || async { f.store.profile(&only(&peru), &person(&peru, "a")).await.expect("exists").content };
    assert_eq!(stored().await, withdrawn);
    assert_eq!(f.finish(&three, at(9)).await.expect("finishes").updated, 1);
    assert_eq!(stored().await, consenting(&[(1, Some(5)), (7, None)]));
}

async fn a_merge_finds_what_is_stored_of_people(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let stored = consenting(&[(1, Some(5))]);
    f.import(&peru, "i-1", &[("a", stored.clone()), ("b", mentee())]).await;
    let digest = |profile| StagedRow::new(own_id("a"), None, profile).expect("a row").digest().to_owned();
    let rows = [("a", digest(&mentor(1))), ("b", digest(&mentee())), ("c", digest(&mentee()))];
    let rows = rows.map(|(id, digest)| (own_id(id), digest));
    let present = f.store.present(&only(&peru), &peru, &rows).await.expect("reads");
    let told = |id| present.get(&own_id(id)).map(|known| (known.version, known.consents.clone()));
    assert_eq!(told("a"), Some((1, stored.consents)));
    assert_eq!(told("b"), Some((1, Vec::new())), "the same digest needs no merge");
    assert_eq!(told("c"), None);
    let kenya = f.organisation("wim-kenya").await;
    assert!(f.store.present(&only(&kenya), &peru, &rows).await.expect("reads").is_empty(), "is foreign");
}

async fn staged_rows_are_seen_by_nobody(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    let scope = Scope::Alliance;
    let before = f.store.list_profiles(&scope, &peru, None, 10, usize::MAX).await.expect("lists").0;
    let ids = f.store.list_profile_ids(&scope, &peru, None, 10).await.expect("lists");
    let key = f.store.begin_import(&only(&peru), &peru, "i-staged", at(0)).await.expect("begins");
    let staged = f.rows(&peru, &[("new", mentor(1)), ("mentor", mentor(9))]).await;
    assert_eq!(staged.len(), 2);
    f.store.stage_rows(&key, staged, at(0)).await.expect("stages");

    let after = f.store.list_profiles(&scope, &peru, None, 10, usize::MAX).await.expect("lists").0;
    assert_eq!(after, before);
    assert_eq!(f.store.list_profile_ids(&scope, &peru, None, 10).await.expect("lists"), ids);
    assert!(matches!(f.store.profile(&scope, &person(&peru, "new")).await, Err(Error::NotFound(_))));
    let present = before.iter().find(|stored| stored.name.id == own_id("mentor")).expect("is stored");
    assert_eq!(f.store.profile(&scope, &person(&peru, "mentor")).await.expect("exists"), *present);
    let asked = [("new", "other"), ("mentor", "other")].map(|(id, digest)| (own_id(id), digest.to_owned()));
    let known = f.store.present(&scope, &peru, &asked).await.expect("reads");
    assert_eq!(known.keys().collect::<Vec<_>>(), [&own_id("mentor")]);
    assert_eq!(known[&own_id("mentor")].version, 1);
    let waiting = f.store.waiting_list(&scope, &peru).await.expect("reads");
    let mut session = f.write().await;
    let named = session.named_profiles_to_enrol(&peru, &[own_id("new"), own_id("mentor")]).await;
    assert_eq!(named.expect("reads"), std::slice::from_ref(present));
    let people = session.people_of(&peru, &[own_id("new"), own_id("mentor")].into()).await.expect("reads");
    assert_eq!(people, [own_id("mentor")].into());
    session.enrol(&round, &peru, &with_ids(&["new"]), &waiting).await.expect_err("has no finished version");
    drop(session);
    let run = f.start_run(&round, at(5)).await.name;
    let frozen = f.store.load_snapshot(&Scope::System, &run).await.expect("loads").snapshot;
    assert!(frozen.participants.iter().all(|participant| participant.version == 1));
}

/// Persons with two finished versions of one number.
const TWICE: &str = "SELECT COUNT(*) FROM (SELECT v.own_id FROM profile_version v JOIN profile_import i \
    ON i.id = v.import_id WHERE i.finish_micros IS NOT NULL GROUP BY v.own_id, v.version HAVING COUNT(*) > 1) AS twice";

/// Imports of one organisation begin, stage, end and are discarded in an order that the bits of a number draw. After each
/// step the store says what a model says: the profiles that the finished imports have left, each with its version.
async fn imports_in_any_order_store_what_a_model_stores(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let ids = ["a", "b", "c", "d", "e"];
    let mut model: BTreeMap<&str, (i64, Profile)> = BTreeMap::new();
    let mut open: Vec<(ImportKey, BTreeMap<&str, Profile>)> = Vec::new();
    let (mut drawn, mut ended) = (0xD1B5_4A32_D192_ED03_u64, 0);
    for step in 0..60_u8 {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = |from: u32, below: usize| usize::try_from(drawn >> from & 0xFF).expect("is small") % below;
        match (bits(60, 4), open.len()) {
            (0, 0..4) | (_, 0) => {
                let id = format!("i-{step}");
                let key = f.store.begin_import(&only(&peru), &peru, &id, at(0)).await.expect("begins");
                open.push((key, BTreeMap::new()));
            }
            (1 | 0, held) => {
                let (key, said) = &mut open[bits(20, held)];
                let places = u8::try_from(1 + bits(30, 3)).expect("is small");
                let fresh = |id: &&&str| !said.contains_key(**id);
                let some: Vec<_> = ids.iter().filter(fresh).take(1 + bits(40, 3)).collect();
                let people: Vec<(&str, Profile)> = some.into_iter().map(|id| (*id, mentor(places))).collect();
                // What is stored now is not staged; another import may change it until the end.
                let rows = f.rows(&peru, &people).await;
                let kept = |id: &str| rows.iter().any(|row| row.id().as_str() == id);
                said.extend(people.iter().filter(|(id, _)| kept(id)).cloned());
                f.store.stage_rows(key, rows, at(0)).await.expect("stages");
            }
            (2, held) => {
                let (key, said) = open.swap_remove(bits(20, held));
                let counts = f.finish(&key, at(1)).await.expect("finishes");
                let mut expected = ImportCounts::default();
                for (id, content) in said {
                    match model.get_mut(id) {
                        None => {
                            model.insert(id, (1, content));
                            expected.created += 1;
                        }
                        Some((_, present)) if *present == content => expected.unchanged += 1,
                        Some((version, present)) => {
                            (*version, *present) = (*version + 1, content);
                            expected.updated += 1;
                        }
                    }
                }
                assert_eq!(counts, expected, "step {step}");
                ended += 1;
            }
            (_, held) => {
                let (key, _) = open.swap_remove(bits(20, held));
                f.store.discard_import(&key).await.expect("discards");
            }
        }
        let stored = f.store.list_profiles(&only(&peru), &peru, None, 10, usize::MAX).await.expect("lists").0;
        let stored: Vec<_> = stored.iter().map(|p| (p.name.id.as_str(), p.version, &p.content)).collect();
        let expected: Vec<_> =
            model.iter().map(|(id, (version, content))| (*id, *version, content)).collect();
        assert_eq!(stored, expected, "step {step}");
    }
    assert_eq!(f.raw().await.number(TWICE).await, 0, "a person has one finished version of each number");
    assert!(ended > 8 && model.values().any(|(version, _)| *version > 2), "{ended} imports, {model:?}");
}

async fn an_enrolment_before_the_end_moves_the_counters_too(f: Fixture) {
    let (peru, _, round) = f.enrolled_round().await;
    f.import(&peru, "i-late", &[("late", mentor(1))]).await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-roles", at(0)).await.expect("begins");
    let rows = f.rows(&peru, &[("late", mentee()), ("mentor", mentee())]).await;
    f.store.stage_rows(&key, rows, at(0)).await.expect("stages");
    let early = f.store.ready_import(&key, at(0)).await.expect("is ready");
    assert_eq!(f.enrol(&round, &peru, &["late"]).await, 1);
    let mut session = f.write().await;
    let (counts, left) = session.finish_import(&key, early).await.expect("answers").expect("finishes");
    session.commit(left.into_notes().expect("notes"), b"").await.expect("commits");
    assert_eq!(counts.updated, 2);
    let counted = f.store.round(&only(&peru), &round).await.expect("exists").enrolment;
    assert_eq!((counted.profiles, counted.mentors, counted.mentees), (3, 0, 3));
}

async fn rows_staged_after_the_comparison_end_nothing(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    f.store.stage_rows(&key, rows(&[("a", mentor(1))]), at(0)).await.expect("stages");
    let ready = f.store.ready_import(&key, at(0)).await.expect("is ready");
    f.store.stage_rows(&key, rows(&[("b", mentor(1))]), at(0)).await.expect("stages");
    let mut session = f.write().await;
    assert!(matches!(session.finish_import(&key, ready).await, Err(Error::NotFound(_))));
    drop(session);
    assert_eq!(f.finish(&key, at(1)).await.expect("finishes").created, 2);
}

async fn a_discard_that_has_begun_cannot_be_finished(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    let many: Vec<String> = (0..1_500).map(|n| format!("p{n:04}")).collect();
    let many: Vec<(&str, Profile)> = many.iter().map(|id| (id.as_str(), mentee())).collect();
    f.store.stage_rows(&key, rows(&many), at(0)).await.expect("stages");
    let ready = f.store.ready_import(&key, at(0)).await.expect("is ready");
    // The first step of a discard, which deletes 1,000 rows, and then nothing more: the service has died.
    let mut raw = f.raw().await;
    raw.execute("UPDATE profile_import SET staged = staged + 1 WHERE id = 'i-1'").await;
    raw.execute("DELETE FROM profile_version WHERE import_id = 'i-1' AND ordinal < 1000").await;
    let mut session = f.write().await;
    assert!(matches!(session.finish_import(&key, ready).await, Err(Error::NotFound(_))));
    drop(session);
    assert!(matches!(f.store.ready_import(&key, at(0)).await, Err(Error::NotFound(_))));
    f.store.discard_import(&key).await.expect("goes on");
    assert_eq!(raw.number("SELECT COUNT(*) FROM profile_version").await, 0);
    assert_eq!(raw.number("SELECT COUNT(*) FROM profile_import").await, 0);
}

async fn staging_gives_way_to_other_writers_and_loses_no_row(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    let staged = (0..4_000).map(|n| StagedRow::new(own_id(&format!("p{n:04}")), None, &mentee()));
    let mut staged = staged.collect::<Result<Vec<_>, _>>().expect("rows");
    let second = staged.split_off(2_000);
    let others = async {
        for n in 0..20 {
            f.organisation(&format!("wim-other-{n}")).await;
        }
    };
    let (one, two, ()) = tokio::join!(
        f.store.stage_rows(&key, staged, at(0)),
        f.store.stage_rows(&key, second, at(0)),
        others
    );
    one.expect("stages");
    two.expect("stages");
    let mut raw = f.raw().await;
    assert_eq!(raw.number("SELECT COUNT(DISTINCT ordinal) FROM profile_version").await, 4_000);
    assert_eq!(raw.number("SELECT MAX(ordinal) FROM profile_version").await, 3_999);
    assert_eq!(f.finish(&key, at(1)).await.expect("finishes").created, 4_000);
}

async fn imports_side_by_side_do_not_mix(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let scope = only(&peru);
    let one = f.store.begin_import(&scope, &peru, "i-1", at(0)).await.expect("begins");
    let two = f.store.begin_import(&scope, &peru, "i-2", at(0)).await.expect("begins");
    let stage = |key, who| f.store.stage_rows(key, who, at(0));
    let (a, b) = tokio::join!(stage(&one, rows(&[("a", mentor(1))])), stage(&two, rows(&[("a", mentor(2))])));
    a.expect("stages");
    b.expect("stages");
    assert_eq!(f.finish(&two, at(0)).await.expect("finishes").created, 1);
    assert_eq!(f.finish(&one, at(0)).await.expect("finishes").updated, 1);
}

async fn an_import_is_finished_once(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    assert_eq!(f.finish(&key, at(0)).await.expect("finishes"), ImportCounts::default());
    assert!(matches!(f.finish(&key, at(0)).await, Err(Error::NotFound(_))));
    let late = f.store.stage_rows(&key, rows(&[("a", mentor(1))]), at(0)).await;
    assert!(matches!(late, Err(Error::NotFound(_))));
    f.store.begin_import(&only(&peru), &peru, "i-2", at(0)).await.expect("begins");
    f.store.begin_import(&only(&peru), &peru, "i-2", at(0)).await.expect_err("the id is taken");
}

async fn a_discarded_import_leaves_no_rows(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    f.store.stage_rows(&key, rows(&[("a", mentor(1))]), at(0)).await.expect("stages");
    f.store.discard_import(&key).await.expect("discards");
    f.store.discard_import(&key).await.expect("twice is no error");
    // The id's rows are gone: the same person can be staged under it again.
    let key = f.store.begin_import(&only(&peru), &peru, "i-1", at(0)).await.expect("begins");
    f.store.stage_rows(&key, rows(&[("a", mentor(1))]), at(0)).await.expect("stages");
}

async fn stale_imports_are_purged(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let old = f.store.begin_import(&only(&peru), &peru, "i-old", at(0)).await.expect("begins");
    let live = f.store.begin_import(&only(&peru), &peru, "i-live", at(0)).await.expect("begins");
    f.store.stage_rows(&live, rows(&[("a", mentor(1))]), at(100)).await.expect("stages");
    assert_eq!(f.store.purge_stale_imports(&Scope::System, at(50)).await.expect("purges"), 1);
    let late = f.store.stage_rows(&old, rows(&[("a", mentor(1))]), at(101)).await;
    assert!(matches!(late, Err(Error::NotFound(_))));
    f.store.stage_rows(&live, rows(&[("b", mentee())]), at(102)).await.expect("stages");
}

async fn a_manager_imports_into_her_own_organisation_only(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    let foreign = f.store.begin_import(&only(&peru), &kenya, "i-1", at(0)).await;
    assert!(matches!(foreign, Err(Error::NotFound(name)) if name == "organisations/wim-kenya"));
    let absent =
        f.store.begin_import(&Scope::Alliance, &"wim-chad".parse().expect("an id"), "i-1", at(0)).await;
    assert!(matches!(absent, Err(Error::NotFound(_))));
    let key = f.store.begin_import(&only(&kenya), &kenya, "i-1", at(0)).await.expect("begins");
    let ready = f.store.ready_import(&key, at(1)).await.expect("is ready");
    let mut session = f.write_at(at(1), only(&peru)).await;
    assert!(matches!(session.finish_import(&key, ready).await, Err(Error::NotFound(_))));
}

async fn foreign_profiles_do_not_exist(f: Fixture) {
    let (peru, kenya) = (f.organisation("wim-peru").await, f.organisation("wim-kenya").await);
    f.import(&kenya, "i-1", &[("a", mentor(1))]).await;
    let foreign =
        f.store.profile(&only(&peru), &person(&kenya, "a")).await.expect_err("is foreign").to_string();
    let absent =
        f.store.profile(&only(&peru), &person(&kenya, "b")).await.expect_err("is absent").to_string();
    assert_eq!(foreign.replace("profiles/a", "profiles/b"), absent);
    assert!(matches!(
        f.store.list_profiles(&only(&peru), &kenya, None, 10, usize::MAX).await,
        Err(Error::NotFound(_))
    ));
    assert!(f.store.profile(&only(&kenya), &person(&kenya, "a")).await.is_ok());
    assert!(f.store.profile(&Scope::Alliance, &person(&kenya, "a")).await.is_ok());
}

async fn profiles_are_listed_in_pages_by_the_bytes_of_their_ids(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    let people: Vec<(&str, _)> =
        ["a_1", "A.1", "a-1", "b", "B", "10", "9"].into_iter().map(|id| (id, profile("PE"))).collect();
    f.import(&peru, "i-1", &people).await;
    let mut seen: Vec<OwnId> = Vec::new();
    loop {
        let page =
            f.store.list_profiles(&only(&peru), &peru, seen.last(), 3, usize::MAX).await.expect("lists").0;
        seen.extend(page.iter().map(|p| p.name.id.clone()));
        if page.len() < 3 {
            break;
        }
    }
    assert_eq!(
        seen.iter().map(OwnId::as_str).collect::<Vec<_>>(),
        ["10", "9", "A.1", "B", "a-1", "a_1", "b"]
    );
    // The last page of a list may be empty; a list of an organisation that does not exist is an error.
    assert_eq!(
        f.store.list_profiles(&only(&peru), &peru, seen.last(), 3, usize::MAX).await.expect("lists").0,
        []
    );
    let absent = "wim-chad".parse().expect("an id");
    assert!(matches!(
        f.store.list_profiles(&Scope::Alliance, &absent, None, 3, usize::MAX).await,
        Err(Error::NotFound(_))
    ));
}

async fn a_failed_finish_keeps_the_rows_and_the_profiles(f: Fixture) {
    let peru = f.organisation("wim-peru").await;
    f.import(&peru, "i-1", &[("a", mentor(1))]).await;
    let key = f.store.begin_import(&only(&peru), &peru, "i-2", at(0)).await.expect("begins");
    let staged = f.rows(&peru, &[("a", mentor(7)), ("b", mentee())]).await;
    f.store.stage_rows(&key, staged, at(0)).await.expect("stages");
    let ready = f.store.ready_import(&key, at(0)).await.expect("is ready");
    let mut session = f.write().await;
    let _ = session.finish_import(&key, ready).await.expect("finishes");
    drop(session);
    let stored = f.store.list_profiles(&only(&peru), &peru, None, 10, usize::MAX).await.expect("lists").0;
    assert_eq!(stored.iter().map(|p| (p.version, p.content.clone())).collect::<Vec<_>>(), [(1, mentor(1))]);
    let counts = f.finish(&key, at(0)).await.expect("the rows are still there");
    assert_eq!(counts, ImportCounts { created: 1, updated: 1, unchanged: 0 });
}
