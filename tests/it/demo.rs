//! The demonstration prints the language of the reader.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, language: &str, database: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.current_dir(folder).args(["demo", "--people", "40", "--lang", language, "--database", database]);
    program.output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Whether a line has three words after each other that are no ids.
fn is_sentence(line: &str) -> bool {
    let words: Vec<bool> = line
        .split_whitespace()
        .map(|word| word.chars().count() > 1 && word.chars().all(char::is_alphabetic))
        .collect();
    words.windows(3).any(|three| three.iter().all(|is_word| *is_word))
}

#[test]
fn the_demonstration_prints_no_english_sentence_in_another_language() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = ["en", "fr", "es", "pt"].map(|language| {
        let output = run(folder.path(), language, "demo.sqlite3");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    });
    let english: BTreeSet<&str> = told[0].lines().filter(|line| is_sentence(line)).collect();
    assert!(english.len() > 20, "{english:#?}");
    for other in &told[1..] {
        let left: Vec<&str> = other.lines().filter(|line| english.contains(line)).collect();
        assert!(left.is_empty(), "{left:#?}");
    }
    for (told, parts) in told.iter().zip([
        ["Service ready in", "open it in a browser", "Next steps:", "another language: French"],
        [
            "Service prêt en",
            "à ouvrir dans un navigateur",
            "Étapes suivantes\u{a0}:",
            "langue\u{a0}: anglais",
        ],
        ["Servicio listo en", "ábralo en un navegador", "Próximos pasos:", "otro idioma: inglés"],
        ["Serviço pronto em", "abra em um navegador", "Próximos passos:", "outro idioma: inglês"],
    ]) {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[test]
fn the_demonstration_refuses_a_file_of_another_program_in_the_language_of_the_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("members.sqlite3"), "kept").expect("is written");
    for (language, part) in [
        ("en", "error: members.sqlite3 exists, and only a file"),
        ("fr", "erreur\u{a0}: members.sqlite3 existe, et seul un fichier"),
        ("es", "error: members.sqlite3 existe, y solo se reemplaza un archivo"),
        ("pt", "erro: members.sqlite3 existe, e só um arquivo"),
    ] {
        let output = run(folder.path(), language, "members.sqlite3");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).starts_with(part), "{}", text(&output.stderr));
    }
    assert_eq!(fs::read_to_string(folder.path().join("members.sqlite3")).expect("is there"), "kept");
}
