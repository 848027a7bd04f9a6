//! `wim-match manual` and `wim-match completions`: pages for `man` and completions for shells, from the definition of the
//! commands. Both are in English, as the help is.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::failure::Failure;
use crate::client::output::data;
use crate::message;

#[derive(Debug, Args)]
pub(super) struct ManualOptions {
    /// An existing folder, for example /usr/local/share/man/man1.
    directory: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsOptions {
    /// Shell that reads the completions.
    shell: Shell,
}

/// Writes a page for the program and for each of its commands.
pub(super) fn manual(options: &ManualOptions, program: clap::Command) -> Result<(), Failure> {
    clap_mangen::generate_to(program, &options.directory).map_err(|error| {
        let wrong = message!(
            "{file} cannot be written: {error}",
            file = options.directory.display().to_string(),
            error = error.to_string()
        );
        Failure::input(wrong, message!("choose an existing folder where this user may write"))
    })
}

/// Prints the completions of a shell.
pub(super) fn completions(options: &CompletionsOptions, mut program: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(options.shell, &mut program, name, &mut script);
    data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(())
}
