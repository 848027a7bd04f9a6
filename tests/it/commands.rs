//! Commands of the working group and of managers, as a person reads them in each of the four languages.

use std::process::Command;

use serde_json::Value;
use wim_match::api::proto::v1;
use wim_match::domain::grant::Role;

use crate::review::{self, approve, publish, submission_of, submit, two_people};
use crate::world::{World, matches, mentee, mentor, soon};

const LANGUAGES: [&str; 4] = ["en", "fr", "es", "pt"];

/// What the program answers to a caller: its exit code, its data and its words, with plain blanks.
struct Program {
    server: String,
    token: String,
}

impl Program {
    fn of(world: &World, token: &str) -> Self {
        Self { server: format!("http://{}", world.server().address()), token: token.to_owned() }
    }

    async fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        program.args(arguments).env("WIM_MATCH_SERVER", &self.server).env("WIM_MATCH_TOKEN", &self.token);
        program.env_remove("WIM_MATCH_LANG");
        let output =
            tokio::task::spawn_blocking(move || program.output()).await.expect("ends").expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\u{a0}', " ");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Data and words of a command that succeeds.
    async fn said(&self, arguments: &[&str]) -> (String, String) {
        let (code, data, words) = self.run(arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {words}");
        (data, words)
    }

    /// The entries of a list, one JSON object a line.
    async fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let (data, _) = self.said(&[arguments, &["--json"]].concat()).await;
        data.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The data of a command that succeeds, as JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        let (data, _) = self.said(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&data).expect("JSON")
    }
}

/// A table with its words one blank apart, because a narrow column breaks its lines.
fn joined(table: &str) -> String {
    table.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waiting_list_is_read_left_and_carried_over_by_commands() {
    let world = World::sqlite().await;
    let [first, second] = two_people(&world).await;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    peru.import(vec![mentor("a", 1)]).await;
    kenya.import(vec![mentee("c"), mentee("d"), mentee("e")]).await;
    let round = world.open_round("first").await.name;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let submission = submit(&first, submission_of(&run)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    publish(&first, &submission.name).await.expect("publishes");
    let matched = matches(&mut world.coordinator(), &run.name, 0).await.pop().expect("one place").mentee;
    let of_kenya = ["c", "d", "e"].into_iter().filter(|id| kenya.member(id) != matched);
    let waiting: Vec<String> = of_kenya.map(|id| format!("wim-kenya/{id}")).collect();
    world.open_round("next").await;

    let manager = Program::of(&world, &kenya.token);
    for (lang, cause) in LANGUAGES.into_iter().zip(["no match", "sans binôme", "sin dupla", "sem dupla"]) {
        let (table, _) = manager.said(&["waiting", "list", "--round", "next", "--lang", lang]).await;
        let table = joined(&table);
        assert!(waiting.iter().all(|one| table.contains(one)) && table.contains(cause), "{table}");
    }
    let listed = manager.list(&["waiting", "list", "--organisation", "wim-kenya"]).await;
    let profiles: Vec<&str> = listed.iter().map(|one| one["profile"].as_str().expect("a name")).collect();
    assert_eq!(profiles.len(), 2, "{listed:?}");
    assert!(!profiles.contains(&matched.as_str()));
    assert!(Program::of(&world, &peru.token).list(&["waiting", "list"]).await.is_empty());

    let leaver = waiting[0].as_str();
    let before = world.dump().await;
    for (lang, word) in LANGUAGES.into_iter().zip(["--validate-only"; 4]) {
        let (_, words) = manager.said(&["waiting", "leave", leaver, "--validate-only", "--lang", lang]).await;
        assert!(words.contains(leaver) && words.contains(word), "{words}");
    }
    let checked = ["waiting", "carry-over", "next", "--organisation", "wim-kenya", "--validate-only"];
    let checked = manager.json(&checked).await;
    assert_eq!(
        checked["enrolled"].as_u64().or_else(|| checked["enrolled"].as_str()?.parse().ok()),
        Some(2),
        "{checked}"
    );
    assert_eq!(world.dump().await, before, "a check writes nothing");

    let (_, words) = manager.said(&["waiting", "leave", leaver, "--lang", "es"]).await;
    assert!(words.contains("dejó la lista de espera"), "{words}");
    let (code, _, words) = manager.run(&["waiting", "leave", leaver]).await;
    assert!(code != Some(0) && words.contains("does not exist"), "{words}");
    let (code, _, words) = manager.run(&["waiting", "leave", "nobody"]).await;
    assert!(code != Some(0) && words.contains("ORGANISATION/ID"), "{words}");
    let (_, words) =
        manager.said(&["waiting", "carry-over", "next", "--organisation", "wim-kenya", "--lang", "pt"]).await;
    assert!(words.contains('1'), "{words}");
    let enrolled = kenya.enrolments("rounds/next").await;
    let names: Vec<&str> = enrolled.iter().map(|one| one.profile.as_str()).collect();
    assert_eq!(names, [waiting[1].replacen("wim-kenya/", &format!("{}/profiles/", kenya.name()), 1)]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expert_is_asked_answers_and_is_let_go_by_commands() {
    let cast = review::cast(World::sqlite().await, v1::Policy::default()).await;
    let world = &cast.world;
    let token = world.server().service().issue_token(&Role::Expert(None), "test").await.expect("a token");
    let principal = world.who_is(&world.client(Some(&token))).await;
    let (coordinator, expert) = (Program::of(world, world.coordinator_token()), Program::of(world, &token));
    let pair = cast.match_of("c").await;
    let short = |name: &str| name.replacen("organisations/", "", 1).replacen("/profiles/", "/", 1);
    let (mentee, mentor) = (short(&pair.mentee), short(&pair.mentor));
    let round = cast.round.trim_start_matches("rounds/");
    let id = principal.name.trim_start_matches("principals/");
    let question = "Do their fields fit?";
    let ask = ["round", "ask", round, &mentee, &mentor, "--expert", id, "--question", question];
    let made = coordinator.said(&ask).await.0.trim().to_owned();
    assert!(made.contains("/asks/"), "{made}");

    for (lang, column) in LANGUAGES.into_iter().zip(["Question", "Question", "Consulta", "Consulta"]) {
        let (table, _) = expert.said(&["round", "asks", "--lang", lang]).await;
        let table = joined(&table);
        assert!(table.contains(column) && table.contains("fields"), "{table}");
        let (table, _) = coordinator.said(&["round", "asks", round, "--lang", lang]).await;
        assert!(joined(&table).contains(column), "{table}");
    }
    let hers = expert.list(&["round", "asks"]).await;
    assert_eq!(hers[0]["question"], question);
    assert_eq!((hers[0]["mentee"].as_str(), Some(hers.len())), (Some(pair.mentee.as_str()), Some(1)));
    let answer = ["round", "comment", round, &mentee, &mentor, "--text", "A good pair: both blast."];
    expert.said(&answer).await;

    let gone = coordinator.json(&["round", "unask", &made]).await;
    assert!(gone["withdrawTime"].is_string(), "{gone}");
    assert!(expert.list(&["round", "asks"]).await.is_empty());
    for (lang, words) in
        LANGUAGES.into_iter().zip(["does not exist", "n’existe pas", "no existe", "não existe"])
    {
        let (code, _, told) = expert.run(&[&answer[..], &["--lang", lang]].concat()).await;
        assert!(code != Some(0) && told.contains(words), "{told}");
    }
    let (code, _, told) = expert.run(&ask).await;
    assert!(code != Some(0) && told.contains("coordinator"), "an expert asks nobody: {told}");
    cast.world.stop().await;
}
