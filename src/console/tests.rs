//! The words of the pages, and their table.

use std::collections::BTreeSet;

use super::{Access, ROUTES};
use crate::domain::vocabulary::Lang;
use crate::wording;

/// The sources of the pages.
fn sources() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = std::fs::read_dir(root.join("console"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let files =
        folder.filter(|path| path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs"));
    let texts =
        files.chain([root.join("console.rs")]).map(|path| std::fs::read_to_string(path).expect("a source"));
    texts.collect()
}

/// A page has a text for every key that it says, and every text is said somewhere, in each language: the tests of `wording`
/// compare the languages with each other.
#[test]
fn every_text_is_said_and_every_key_has_a_text() {
    let sources = sources();
    let literals: BTreeSet<&str> = sources.split('"').collect();
    let file = include_str!("../../data/wording/console.en.toml");
    let keys: BTreeSet<&str> =
        file.lines().filter_map(|line| line.split_once(" = \"")).map(|(key, _)| key).collect();
    let unsaid: Vec<_> = keys.iter().filter(|key| !literals.contains(**key)).collect();
    assert!(unsaid.is_empty(), "no page says {unsaid:?}");
    for call in [".say(\"", ".fill(\""] {
        for part in sources.split(call).skip(1) {
            let key = part.split('"').next().expect("a key");
            assert!(keys.contains(key), "no text `{key}` in data/wording/console.en.toml");
        }
    }
    assert!(keys.len() > 50);
    for lang in Lang::ALL {
        assert!(!wording::text("console.home_title", lang).is_empty());
    }
}

/// Whoever has not signed in reaches the door and nothing else.
#[test]
fn only_the_door_is_open() {
    let open: Vec<&str> =
        ROUTES.iter().filter(|route| route.access != Access::SignedIn).map(|route| route.path).collect();
    assert_eq!(open, ["/sign-in", "/sign-in", "/csp-report"]);
}
