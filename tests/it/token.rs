//! `wim-match admin token` and `admin audit`, on a database of their own.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Machine {
    home: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { home: tempfile::tempdir().expect("a folder") };
        assert!(machine.admin(&["migrate"]).status.success());
        machine
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        let database: PathBuf = self.home.path().join("wim.db");
        Command::new(env!("CARGO_BIN_EXE_wim-match"))
            .arg("admin")
            .args(arguments)
            .args(["--database", &format!("sqlite:{}", database.display())])
            .env_clear()
            .current_dir(self.home.path())
            .output()
            .expect("the command runs")
    }

    fn create(&self, arguments: &[&str]) -> String {
        let created = self.admin(&[&["token", "create", "--role"], arguments].concat());
        assert!(created.status.success(), "{}", error(&created));
        text(&created.stdout).trim().to_owned()
    }

    fn listed(&self) -> Vec<Value> {
        lines(&self.admin(&["token", "list", "--json"]))
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn error(output: &Output) -> &str {
    text(&output.stderr)
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", error(output));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_token_is_created_listed_and_revoked() {
    let machine = Machine::new();
    let first = machine.create(&["coordinator", "--label", "laptop of the chair"]);
    let second = machine.create(&["coordinator"]);
    assert!(first.starts_with("wimm_") && first.len() == 69, "{first}");
    let listed = machine.listed();
    let (prefix, id) = (&first[..11], listed[0]["id"].as_str().expect("an id"));
    assert_eq!((listed.len(), listed[0]["prefix"].as_str()), (2, Some(prefix)));
    assert_eq!(listed[0]["label"], "laptop of the chair");
    assert_eq!(listed[0]["roles"], serde_json::json!(["coordinator"]));
    assert!(listed[0]["principal"].as_str().is_some_and(|name| name.starts_with("principals/")));
    assert_ne!(listed[0]["principal"], listed[1]["principal"], "each token has a principal of its own");
    assert_eq!(listed[0]["revoke_time"], Value::Null);
    let table = machine.admin(&["token", "list"]);
    assert!(text(&table.stdout).contains(&format!("{prefix}…")), "{}", text(&table.stdout));
    assert!(!text(&table.stdout).contains(&first), "a token is shown once");

    let revoked = machine.admin(&["token", "revoke", prefix]);
    assert!(revoked.status.success());
    let expected = format!("revoked: {prefix}…, coordinator, \"laptop of the chair\", id {id}\n");
    assert_eq!(error(&revoked), expected);
    assert!(machine.listed()[0]["revoke_time"].is_string());
    let again = machine.admin(&["token", "revoke", id]);
    assert!(again.status.success() && error(&again).contains("was revoked before"), "{}", error(&again));

    let last = machine.admin(&["token", "revoke", "--json", &second]);
    assert!(
        !text(&last.stdout).contains(&second) && !error(&last).contains(&second),
        "a token is shown once"
    );
    assert_eq!(lines(&last)[0]["prefix"], second[..11]);
    assert!(error(&last).contains("warning: no coordinator has a token any more"), "{}", error(&last));
    assert!(error(&last).contains("wim-match admin token create --role coordinator"), "{}", error(&last));

    let journal = lines(&machine.admin(&["audit", "list", "--json"]));
    let told: Vec<_> = journal.iter().map(|line| (line["action"].as_str(), line["actor"].as_str())).collect();
    let operator = |action| (Some(action), Some("operator"));
    let create = ["principal.create", "role_grant.create", "credential.create"].map(operator);
    let revoke = [operator("credential.revoke"); 2];
    assert_eq!(told, [&create[..], &create, &revoke].concat());
    let first = lines(&machine.admin(&["audit", "list", "--json", "--limit", "1"]));
    assert_eq!(first, journal[..1]);
    let name = format!("{}/credentials/{id}", listed[0]["principal"].as_str().expect("a name"));
    let of_one =
        lines(&machine.admin(&["audit", "list", "--json", "--resource", &name, "--actor", "operator"]));
    assert_eq!(of_one, [journal[2].clone(), journal[6].clone()]);
    let since = journal[6]["time"].as_str().expect("a time");
    assert_eq!(lines(&machine.admin(&["audit", "list", "--json", "--since", since])), journal[6..]);
    assert_eq!(lines(&machine.admin(&["audit", "list", "--json", "--until", since])), journal[..6]);
}

#[test]
fn a_token_that_is_not_singled_out_is_not_revoked() {
    let machine = Machine::new();
    // Of 17 tokens, two have the same first character after `wimm_`.
    let tokens: Vec<String> = (0..17).map(|_| machine.create(&["coordinator"])).collect();
    let shared = tokens.iter().enumerate().find_map(|(at, token)| {
        tokens[..at].iter().any(|earlier| earlier[..6] == token[..6]).then(|| token[..6].to_owned())
    });
    let shared = shared.expect("17 tokens and 16 digits");
    let refused = machine.admin(&["token", "revoke", &shared]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(error(&refused).contains("live tokens fit; none was revoked"), "{}", error(&refused));
    assert!(error(&refused).contains("hint: give more characters, or the id"), "{}", error(&refused));
    for everything in ["", "w", "wimm_"] {
        assert_eq!(machine.admin(&["token", "revoke", everything]).status.code(), Some(3), "{everything:?}");
    }
    assert_eq!(machine.admin(&["token", "revoke", "wimm_none"]).status.code(), Some(5));
    assert!(machine.listed().iter().all(|token| token["revoke_time"].is_null()));
}

#[test]
fn a_manager_needs_an_organisation_and_a_coordinator_has_none() {
    let machine = Machine::new();
    let create = |arguments: &[&str]| machine.admin(&[&["token", "create", "--role"], arguments].concat());
    let without = create(&["organisation-manager"]);
    assert!(without.status.code() == Some(3) && error(&without).contains("--organisation ID"));
    let with = create(&["coordinator", "--organisation", "wim-peru"]);
    assert!(with.status.code() == Some(3) && error(&with).contains("leave out --organisation"));
    let absent = create(&["organisation-manager", "--organisation", "wim-peru"]);
    assert!(absent.status.code() == Some(5), "{}", error(&absent));
    assert_eq!(machine.listed(), [Value::Null; 0]);
}

#[test]
fn a_token_is_revoked_by_the_whole_of_it_and_never_by_another_that_looks_like_it() {
    let machine = Machine::new();
    let token = machine.create(&["coordinator"]);
    let mut other = token.clone();
    other.replace_range(token.len() - 1.., if token.ends_with('0') { "1" } else { "0" });
    let unknown = machine.admin(&["token", "revoke", &other]);
    assert_eq!(unknown.status.code(), Some(5), "{}", error(&unknown));
    // The visible part tells which token was meant; the rest is a secret of somebody.
    assert!(error(&unknown).contains(&other[..11]) && !error(&unknown).contains(&other[11..]));
    for part in [&token[..12], &token[..68], &format!("{token}0")] {
        let refused = machine.admin(&["token", "revoke", part]);
        assert_eq!(refused.status.code(), Some(3), "{part}: {}", error(&refused));
        let told = error(&refused);
        assert!(told.contains("neither the visible part of a token nor a whole token"), "{told}");
        assert!(!told.contains(part), "{told}");
    }
    assert!(machine.listed()[0]["revoke_time"].is_null(), "nothing was revoked");
    let copied = machine.admin(&["token", "revoke", &format!("authorization: Bearer {token} ")]);
    assert!(copied.status.success(), "{}", error(&copied));
    assert!(!error(&copied).contains(&token), "{}", error(&copied));
    assert!(machine.listed()[0]["revoke_time"].is_string());
}
