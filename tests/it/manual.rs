//! Pages for `man` and completions for shells: one page for each command, and the same bytes on every machine.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use clap::CommandFactory as _;
use wim_match::cli::Cli;

fn run(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.args(arguments).env_clear().output().expect("runs")
}

/// The page of a command and those of its commands.
fn pages(command: &clap::Command, name: &str, pages: &mut BTreeSet<String>) {
    pages.insert(format!("{name}.1"));
    for below in command.get_subcommands() {
        self::pages(below, &format!("{name}-{}", below.get_name()), pages);
    }
}

#[test]
fn every_command_has_a_page_that_names_its_options() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().to_str().expect("UTF-8");
    let output = run(&["manual", folder]);
    assert!(output.status.success(), "{output:?}");
    let written: BTreeSet<String> = std::fs::read_dir(home.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let mut wanted = BTreeSet::new();
    pages(&Cli::command(), "wim-match", &mut wanted);
    assert_eq!(written, wanted);
    let page = std::fs::read_to_string(home.path().join("wim-match-health.1")).expect("a page");
    assert!(page.contains("\\-\\-live") && page.contains("\\-\\-server"), "{page}");
}

#[test]
fn pages_are_not_written_into_a_folder_that_does_not_exist() {
    let output = run(&["manual", "/nowhere"]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("/nowhere cannot be written") && told.contains("existing folder"), "{told}");
}

#[test]
fn every_shell_completes_commands_and_options() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{output:?}");
        let script = String::from_utf8(output.stdout).expect("UTF-8");
        for word in ["wim-match", "enrol", "accept-good-rows"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    assert_eq!(run(&["completions", "nutshell"]).status.code(), Some(2));
}
