//! Profiles brought in from files and by other services: everything or nothing, every mistake with its place, and what
//! goes out can come in again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Cursor;

use prost::Message as _;
use wim_match::api::convert;
use wim_match::api::proto::v1;
use wim_match::client::{self, Finding, Import};
use wim_match::demo::alliance;
use wim_match::domain::profile::ProfileDraft;
use wim_match::profile_csv::ProfileWriter;

use crate::refusal::{refused, wrong_fields};
use crate::wire::{frame, hang_up};
use crate::world::{
    Manager, World, end_message, header_message, import_of, member, mentee, mentor, on_both_databases,
    row_of, rows_message, send, soon,
};

const HEADER: &str = "profile_id,country,time_zone,languages,employer,avoided,max_mentees,mentors_wanted,\
    consent_matching_version,consent_matching_language,consent_matching_time\n";

/// A mentee's line of a file.
fn line(id: &str) -> String {
    format!("{id},PE,America/Lima,es native,company-{id},,,1,2026-1,es,2026-10-02\n")
}

/// What the command line tells of a file: the summary, and the line and column of every problem.
struct Told {
    summary: v1::ImportSummary,
    problems: BTreeSet<(u64, &'static str)>,
    /// Line, code and value of every warning.
    warnings: Vec<(u64, String, String)>,
}

/// Sends a file as `wim-match import` does.
async fn import(
    manager: &Manager,
    file: impl Into<Vec<u8>>,
    accept_good_rows: bool,
    validate_only: bool,
) -> Told {
    let organisation = manager.organisation.clone();
    let import =
        Import { organisation, accept_good_rows, validate_only, prune: None, accept_returned: false };
    let (mut problems, mut warnings) = (BTreeSet::new(), Vec::new());
    let sent = import.send(&manager.client, Cursor::new(file.into()), |finding| {
        match finding {
            Finding::Problem(problem) => {
                problems.insert((problem.line, problem.cell.column));
            }
            Finding::Note(_) => {}
            Finding::Notice(told) => warnings.push((told.line, told.code.clone(), told.value.clone())),
        }
        Ok::<_, client::Error>(())
    });
    let summary = soon(sent).await.expect("the import ends");
    Told { summary, problems, warnings }
}

/// All that an organisation has, as its CSV file.
async fn export(manager: &Manager) -> Vec<u8> {
    let request = v1::ExportProfilesRequest { parent: manager.name() };
    let mut profiles = manager.client.clone().profiles;
    let mut parts = profiles.export_profiles(request).await.expect("exports").into_inner();
    let mut writer = ProfileWriter::new(Vec::new()).expect("a header");
    while let Some(part) = parts.message().await.expect("the export goes on") {
        for profile in part.profiles {
            writer.write(&convert::profile::draft(profile)).expect("a row");
        }
    }
    writer.finish().expect("a file")
}

/// Number of an organisation's profiles.
async fn stored(manager: &Manager) -> usize {
    let file = export(manager).await;
    String::from_utf8(file).expect("UTF-8").lines().count() - 1
}

fn counts(summary: &v1::ImportSummary) -> [i64; 5] {
    [summary.received, summary.created, summary.updated, summary.unchanged, summary.rejected]
}

on_both_databases! {
    one_bad_row_stores_nothing_unless_the_good_ones_are_asked_for,
    the_same_file_again_changes_nothing_and_a_changed_one_only_what_changed,
    what_is_exported_is_what_was_imported_byte_for_byte,
    a_stream_without_its_end_stores_nothing,
    a_withdrawn_consent_stays_withdrawn_until_a_newer_one_is_given,
    a_check_tells_what_the_import_would_do,
    ids_that_look_alike_are_unknown_or_are_not_in_the_file_are_told,
}

/// A file of one person `a` with the columns of the consent for matching.
fn consent_of_a(given: &str, withdrawn: &str) -> String {
    format!(
        "{}\na,PE,America/Lima,es native,c,,,1,2026-1,es,{given},{withdrawn}\n",
        HEADER.trim_end().to_owned() + ",consent_matching_withdrawn"
    )
}

async fn a_withdrawn_consent_stays_withdrawn_until_a_newer_one_is_given(world: World) {
    let peru = world.manager("wim-peru").await;
    let first = consent_of_a("2026-09-01", "");
    let withdrawn = consent_of_a("2026-09-01", "2026-09-10");
    let none =
        "profile_id,country,time_zone,languages,employer,mentors_wanted\na,PE,America/Lima,es native,c,1\n";
    assert_eq!(counts(&import(&peru, first.as_str(), false, false).await.summary), [1, 1, 0, 0, 0]);
    assert_eq!(counts(&import(&peru, withdrawn.as_str(), false, false).await.summary), [1, 0, 1, 0, 0]);
    let record = list(&peru).await;
    for less in [first.as_str(), none] {
        let told = import(&peru, less, false, false).await;
        assert_eq!((counts(&told.summary), told.summary.consents_kept), ([1, 0, 0, 1, 0], 1), "{less}");
        assert_eq!(list(&peru).await, record);
    }
    let round = world.open_round("spring-2027").await.name;
    let mut manager = peru;
    assert_eq!(manager.enrol_all(&round).await.enrolled, 0, "no consent is live");
    let newer = consent_of_a("2026-09-11", "");
    assert_eq!(counts(&import(&manager, newer, false, false).await.summary), [1, 0, 1, 0, 0]);
    assert_eq!(list(&manager).await[0].consents.len(), 2);
    assert_eq!(manager.enrol_all(&round).await.enrolled, 1);
    world.stop().await;
}

async fn a_check_tells_what_the_import_would_do(world: World) {
    let peru = world.manager("wim-peru").await;
    import(&peru, [HEADER, &line("a"), &line("b")].concat(), false, false).await;
    let file = [HEADER, &line("a"), &line("b").replace("company-b", "company-z"), &line("c")].concat();
    let checked = import(&peru, file.as_str(), false, true).await.summary;
    assert_eq!((counts(&checked), checked.stored), ([3, 1, 1, 1, 0], false));
    assert_eq!(stored(&peru).await, 2);
    let done = import(&peru, file, false, false).await.summary;
    assert_eq!(v1::ImportSummary { stored: true, ..checked }, done);
    let twice = [HEADER, &line("d"), &line("d")].concat();
    assert_eq!(import(&peru, twice, true, true).await.problems, [(3, "profile_id")].into());
    world.stop().await;
}

async fn ids_that_look_alike_are_unknown_or_are_not_in_the_file_are_told(world: World) {
    let peru = world.manager("wim-peru").await;
    import(&peru, [HEADER, &line("007"), &line("x1"), &line("here")].concat(), false, false).await;
    let avoiding = line("a").replace("company-a,,", "company-a,her|007|b|wim-kenya/nobody,");
    let file = [HEADER, &avoiding, &line("7"), &line("b"), &line("B"), &line("here")].concat();
    let told = import(&peru, file.as_str(), false, true).await;
    let warning = |line, code: &str, value: &str| (line, code.to_owned(), value.to_owned());
    let expected =
        [warning(5, "SIMILAR_ID", "B"), warning(2, "UNKNOWN_ID", "her"), warning(3, "SIMILAR_ID", "7")];
    assert_eq!(told.warnings, expected);
    let absent = ["007", "x1"].map(|id| peru.member(id)).to_vec();
    assert_eq!((told.summary.absent, told.summary.absent_profiles, told.summary.warnings), (2, absent, 3));
    let stored = import(&peru, file, false, false).await;
    assert_eq!((stored.warnings, stored.summary.stored), (expected.to_vec(), true), "warnings never block");
    world.stop().await;
}

/// Whether one of the files of a SQLite database holds a text.
fn on_disk(folder: &std::path::Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let holds = |file: std::path::PathBuf| {
        let bytes = std::fs::read(file).expect("a file");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files.filter(|file| file.is_file()).any(holds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_checked_or_refused_leaves_no_copy_in_the_files_of_the_database() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let folder = world.folder().to_owned();
    let mut file = HEADER.to_owned();
    for person in 0..1_500 {
        write!(file, "{}", line(&format!("p{person}")).replace("company", "canary-4711"))
            .expect("a string takes all");
    }
    let checked = import(&peru, file.as_str(), false, true).await;
    assert_eq!(counts(&checked.summary), [1_500, 1_500, 0, 0, 0]);
    assert!(!on_disk(&folder, "canary-4711"), "after a check");
    file.push_str(&line("bad").replace("America/Lima", "Mars"));
    let refused = import(&peru, file.as_str(), false, false).await;
    assert_eq!(counts(&refused.summary), [1_501, 0, 0, 0, 1]);
    assert!(!on_disk(&folder, "canary-4711"), "after a refused import");
    import(&peru, file, true, false).await;
    assert!(on_disk(&folder, "canary-4711"), "what is stored would be found");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_and_an_import_list_so_many_mistakes_and_count_the_others() {
    let world = World::sqlite().await;
    let mut peru = world.manager("wim-peru").await;
    let wrong = |n: usize| ProfileDraft {
        functions: (0..25).map(|code| format!("code{n}x{code}")).collect(),
        ..mentee(&format!("p{n}"))
    };
    let messages = import_of(&peru.organisation, (0..1_203).map(wrong).collect());
    let told = send(&mut peru.client, messages).await.expect("answers");
    let summary = told.summary.expect("a summary");
    assert_eq!((told.rejected.len(), summary.rejected, summary.rejected_unlisted), (1_000, 1_203, 203));
    for row in &told.rejected {
        assert_eq!(row.violations.len(), 11);
        assert_eq!(
            (row.violations[10].field.as_str(), row.violations[10].description.contains("15")),
            ("", true)
        );
    }
    assert!(told.rejected.iter().all(|row| row.encoded_len() < 8 << 10), "small messages");
    world.stop().await;
}

async fn one_bad_row_stores_nothing_unless_the_good_ones_are_asked_for(world: World) {
    let peru = world.manager("wim-peru").await;
    let bad = line("b").replace("America/Lima", "America/Limaa");
    let file = [HEADER, &line("a"), &bad, &line("c")].concat();
    let told = import(&peru, file.as_str(), false, false).await;
    assert_eq!((counts(&told.summary), told.summary.stored), ([3, 0, 0, 0, 1], false));
    assert_eq!(told.problems, [(3, "time_zone")].into());
    assert_eq!(stored(&peru).await, 0);

    let checked = import(&peru, file.as_str(), true, true).await;
    assert_eq!((counts(&checked.summary), checked.summary.stored), ([3, 2, 0, 0, 1], false));
    assert_eq!((checked.problems, stored(&peru).await), (told.problems, 0));

    let told = import(&peru, file, true, false).await;
    assert_eq!((counts(&told.summary), told.summary.stored), ([3, 2, 0, 0, 1], true));
    assert_eq!(stored(&peru).await, 2);
    world.stop().await;
}

async fn the_same_file_again_changes_nothing_and_a_changed_one_only_what_changed(world: World) {
    let peru = world.manager("wim-peru").await;
    let file = [HEADER, &line("a"), &line("b"), &line("c")].concat();
    assert_eq!(counts(&import(&peru, file.as_str(), false, false).await.summary), [3, 3, 0, 0, 0]);
    let before = list(&peru).await;
    world.clock().advance(std::time::Duration::from_mins(1));
    assert_eq!(counts(&import(&peru, file.as_str(), false, false).await.summary), [3, 0, 0, 3, 0]);
    assert_eq!(list(&peru).await, before, "not even a version or a time");
    let changed = [HEADER, &line("a"), &line("b").replace("company-b", "company-z"), &line("d")].concat();
    assert_eq!(counts(&import(&peru, changed, false, false).await.summary), [3, 1, 1, 1, 0]);
    let versions: Vec<i64> = list(&peru).await.iter().map(|profile| profile.version).collect();
    assert_eq!(versions, [1, 2, 1, 1], "of a, b, c and d");
    world.stop().await;
}

async fn list(manager: &Manager) -> Vec<v1::Profile> {
    let request = v1::ListProfilesRequest { parent: manager.name(), ..v1::ListProfilesRequest::default() };
    let mut profiles = manager.client.clone().profiles;
    profiles.list_profiles(request).await.expect("lists").into_inner().profiles
}

async fn what_is_exported_is_what_was_imported_byte_for_byte(world: World) {
    let sample = alliance::sample();
    for (at, organisation) in sample.organisations.iter().enumerate() {
        let manager = world.manager(organisation.id.as_str()).await;
        let file = sample.csv_of(at).expect("a file of the sample");
        let told = import(&manager, file.clone(), false, false).await;
        assert_eq!(told.problems, BTreeSet::new(), "{}", organisation.id);
        let exported = export(&manager).await;
        let (file, exported) =
            (String::from_utf8(file).expect("UTF-8"), String::from_utf8(exported).expect("UTF-8"));
        assert_eq!(exported, file, "{}", organisation.id);
    }
    world.stop().await;
}

async fn a_stream_without_its_end_stores_nothing(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let mut messages = import_of(&peru.organisation, vec![mentee("a"), mentee("b")]);
    messages.pop();
    assert_eq!(wrong_fields(send(&mut peru.client, messages.clone()).await), ["end"]);
    // The caller hangs up in the middle: rows are sent, their receipt is read, and then nothing.
    let bearer = format!("Bearer {}", peru.token);
    let beginning = messages.iter().flat_map(|message| frame(&message.encode_to_vec())).collect();
    let path = "/wim.mentorship.v1.ProfileService/ImportProfiles";
    hang_up(&world, path, &[("authorization", bearer.as_str())], beginning).await;
    assert_eq!(stored(&peru).await, 0, "what is staged is seen by nobody");
    let id = peru.organisation.clone();
    drop(peru);
    // Stopping waits for the broken import to be cleared away.
    let world = world.restart().await;
    let role = wim_match::domain::grant::Role::OrganisationManager(id.clone());
    let token = world.server().service().issue_token(&role, "again").await.expect("a token");
    let peru = Manager { client: world.client(Some(&token)), organisation: id, token };
    assert_eq!(stored(&peru).await, 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_of_a_file_is_told_with_its_line_and_column() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let mut file = HEADER.as_bytes().to_vec();
    let mut add = |row: Vec<u8>| file.extend(row);
    add(line("good").into_bytes());
    add(line("many").replace(",,1,", ",21,,").into_bytes());
    add(line("zone").replace("America/Lima", "Mars/Olympus").into_bytes());
    add(line("self").replace("company-self,,", "company-self,self,").into_bytes());
    add([b"bytes,PE,America/Lima,es native,\xFF\xFE,,,1,2026-1,es,2026-10-02\n".as_slice()].concat());
    add(line("huge").replace("company-huge", &"x".repeat(10 << 20)).into_bytes());
    add(line("good").into_bytes());
    add(line("who@example.org").into_bytes());
    add(b"short,PE\n".to_vec());
    add(line("two-mistakes").replace("PE,", "Nowhere,").replace("es native", "es fluent").into_bytes());
    add(line("future").replace("2026-10-02", "2099-01-01").into_bytes());
    add(line("fine").into_bytes());
    let told = import(&peru, file, true, false).await;
    let expected = [
        (3, "max_mentees"),
        (4, "time_zone"),
        (5, "avoided"),
        (7, "employer"),
        (8, "profile_id"),
        (9, "profile_id"),
        (10, ""),
        (11, "country"),
        (11, "languages"),
        (12, "consent_matching_time"),
    ];
    assert_eq!(told.problems, expected.into());
    assert_eq!((counts(&told.summary), told.summary.stored), ([12, 3, 0, 0, 9], true));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_the_order_of_messages_is_refused_and_leaves_nothing() {
    let world = World::sqlite().await;
    let mut peru = world.manager("wim-peru").await;
    let header = || header_message(v1::ImportHeader { parent: peru.name(), ..v1::ImportHeader::default() });
    let rows = || rows_message(vec![row_of(2, mentee("a"))]);
    let empty = v1::ImportProfilesRequest { content: None };
    let many = rows_message((0..1_001).map(|row| row_of(row, mentee(&format!("p{row}")))).collect());
    let cases = [
        (vec![], "header"),
        (vec![rows(), end_message(1)], "header"),
        (vec![end_message(0)], "header"),
        (vec![header(), rows(), header(), end_message(1)], "header"),
        (vec![header(), rows()], "end"),
        (vec![header(), rows(), end_message(2)], "end.rows"),
        (vec![header(), rows(), end_message(-1)], "end.rows"),
        (vec![header(), empty.clone(), end_message(0)], "content"),
        (vec![empty], "content"),
        (vec![header(), many, end_message(1_001)], "rows.rows"),
    ];
    let mut client = peru.client.clone();
    for (messages, field) in cases {
        let shape: Vec<_> = messages.iter().map(|m| m.content.as_ref().map(std::mem::discriminant)).collect();
        assert_eq!(wrong_fields(send(&mut client, messages).await), [field], "{shape:?}");
    }
    let unknown =
        v1::ImportHeader { parent: "organisations/wim-nowhere".to_owned(), ..v1::ImportHeader::default() };
    assert_eq!(refused(send(&mut client, vec![header_message(unknown), end_message(0)]).await), "NOT_FOUND");
    assert_eq!(stored(&peru).await, 0);
    assert_eq!(peru.import(vec![]).await, v1::ImportSummary { stored: true, ..v1::ImportSummary::default() });
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_service_hears_of_every_row_what_is_wrong_with_it() {
    let world = World::sqlite().await;
    let mut peru = world.manager("wim-peru").await;
    let called = |name: &str| ProfileDraft { name: name.to_owned(), ..member("-") };
    let avoids_herself = ProfileDraft { avoided: vec![peru.member("e")], ..mentee("e") };
    let rows = vec![
        row_of(1, mentor("a", 2)),
        row_of(2, called("")),
        row_of(3, called("organisations/wim-kenya/profiles/x")),
        v1::ImportRow { row: 4, profile: None, unreadable: false },
        row_of(5, mentor("a", 3)),
        v1::ImportRow { unreadable: true, ..row_of(6, mentee("c")) },
        row_of(7, mentor("d", 21)),
        row_of(8, avoids_herself),
        row_of(9, called(&peru.member("f"))),
    ];
    let header =
        v1::ImportHeader { parent: peru.name(), accept_good_rows: true, ..v1::ImportHeader::default() };
    let messages = vec![header_message(header), rows_message(rows), end_message(9)];
    let told = send(&mut peru.client, messages).await.expect("imports");
    let fields: Vec<(i64, Vec<&str>)> = told
        .rejected
        .iter()
        .map(|row| (row.row, row.violations.iter().map(|violation| violation.field.as_str()).collect()))
        .collect();
    let expected = [
        (2, vec!["name"]),
        (3, vec!["name"]),
        (4, vec!["profile"]),
        (5, vec!["name"]),
        (6, vec![]),
        (7, vec!["mentor_offer.max_mentees"]),
        (8, vec!["avoided[0]"]),
    ];
    assert_eq!(fields, expected);
    assert_eq!(counts(&told.summary.expect("a summary")), [9, 2, 0, 0, 7]);
    let names: Vec<String> = list(&peru).await.into_iter().map(|profile| profile.name).collect();
    assert_eq!(names, [peru.member("a"), peru.member("f")]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_twenty_thousand_rows_comes_in() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let mut file = HEADER.to_owned();
    for person in 0..20_000 {
        write!(file, "{}", line(&format!("p{person:05}"))).expect("a string takes all");
    }
    let told = import(&peru, file, false, false).await;
    assert_eq!((counts(&told.summary), told.summary.stored), ([20_000, 20_000, 0, 0, 0], true));
    assert_eq!(stored(&peru).await, 20_000);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_is_read_as_no_answer_is_told_with_its_line_and_column() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let file = format!("{HEADER}{}", line("a").replace("company-a,,", "n/a,nobody,"));
    let told = import(&peru, file, false, false).await;
    assert_eq!((counts(&told.summary), told.problems.len()), ([1, 1, 0, 0, 0], 0));
    let warned = |value: &str| (2, "NO_ANSWER".to_owned(), value.to_owned());
    assert_eq!(told.warnings, [warned("nobody"), warned("n/a")], "one by the reader, one by the service");
    world.stop().await;
}
