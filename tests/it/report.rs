//! What a run reads like: the report, the story of the command line and the spreadsheets, for a coordinator and for managers.

mod worlds;

use wim_match::client::{Results, story};
use wim_match::clock::Clock as _;
use wim_match::demo::alliance;
use wim_match::domain::grant::Role;
use wim_match::domain::vocabulary::Lang;
use wim_match::report;
use wim_match::report::spreadsheet::{OfOneOrganisation, Sheet, Sheets, organisations};

use crate::world::{World, soon};

/// What an excluded person reads if nothing else may be told.
const GENERAL: &str = "Someone on the other side whom all hard rules allow, or a correction of the profile";

/// The rows of a sheet below its header.
fn rows(sheet: &Sheet) -> Vec<Vec<String>> {
    rows_in(sheet, Lang::En)
}

/// The same in a language.
fn rows_in(sheet: &Sheet, lang: Lang) -> Vec<Vec<String>> {
    let bytes = sheet.csv(lang).expect("is written");
    let separator = if lang == Lang::En { b',' } else { b';' };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(bytes.as_slice());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn a_manager_reads_about_her_own_members_and_her_file_tells_no_more() {
    let world = World::sqlite().await;
    let round = world.open_round("2027-first").await;
    world.bring_in(&alliance::sample(), &round.name).await;
    let run = soon(world.run_to_the_end(&round.name)).await;
    let now = world.clock().now();
    let all = Results::fetch(&world.coordinator(), run.clone()).await.expect("results");
    let whole = all.report(Lang::En, now, false);
    let html = report::render(&whole);
    assert!(html.contains("A mentor who speaks Russian at level B2 or better"), "whom to recruit");
    assert!(html.contains("No common language"));

    let mut without_a_match = 0;
    for organisation in organisations(&whole) {
        let role = Role::OrganisationManager(organisation.clone());
        let token = world.server().service().issue_token(&role, "test").await.expect("a token");
        let manager = world.client(Some(&token));
        let request = wim_match::api::proto::v1::GetRunRequest { name: run.name.clone() };
        let hers = manager.runs.clone().get_run(request).await.expect("her run").into_inner().run;
        let hers = Results::fetch(&manager, hers.expect("a run")).await.expect("results");
        let told = story::story(&hers, Lang::En) + &report::render(&hers.report(Lang::En, now, false));
        for about_others in
            ["on average, in", "No hard rule", "Every mentee has", "Everybody has", "Eligible pairs"]
        {
            assert!(!told.contains(about_others), "{organisation}: {about_others}");
        }
        for exact in ["each of the", "any of the"] {
            assert!(!told.contains(exact), "{organisation}: {exact}");
        }
        // The file that a coordinator sends has the same rows, and no reason that the manager does not read herself.
        let part = OfOneOrganisation::of(&whole, &organisation).sheets(&whole);
        let own = Sheets::of(&hers.report(Lang::En, now, false));
        assert_eq!((part.matches.len(), part.unmatched.len()), (own.matches.len(), own.unmatched.len()));
        for (sent, read) in rows(&part.unmatched).iter().zip(&rows(&own.unmatched)) {
            assert_eq!(sent[..4], read[..4]);
            let known: Vec<&str> = read[4].split(" · ").chain([GENERAL]).collect();
            assert!(sent[4].split(" · ").all(|change| known.contains(&change)), "{sent:?}: {read:?}");
        }
        without_a_match += part.unmatched.len();
    }
    let everybody = Sheets::of(&whole).unmatched.len();
    assert_eq!(without_a_match, everybody, "each in the file of her organisation");
    world.stop().await;
}
