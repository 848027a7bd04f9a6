//! `wim-match export`: all profiles of an organisation as CSV or JSON.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::global::Global;
use super::problem::unwritable;
use crate::client::output::tell;
use crate::client::private;
use crate::client::{self, Form};
use crate::domain::name::OrganisationId;
use crate::message;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Id of the organisation.
    #[arg(long, value_name = "ID")]
    organisation: OrganisationId,
    /// File to write; without it, the CSV goes to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let sink: Box<dyn Write + Send> = match &options.output {
        Some(file) => {
            Box::new(BufWriter::new(private::create(file).map_err(|error| unwritable(file, &error))?))
        }
        None => Box::new(io::stdout()),
    };
    let form = if global.json { Form::Json } else { Form::Csv };
    let written = client::export(&client, &options.organisation, form, sink).await?;
    tell(&message!("{written|1 profile|{written} profiles} exported", written = written), global.lang);
    Ok(())
}
