//! `wim-match export`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Failure, Global};
use crate::api::convert;
use crate::api::proto::v1;
use crate::client::output::{say, to_json};
use crate::profile_csv::ProfileWriter;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Id of the organisation.
    #[arg(long, value_name = "ID")]
    organisation: String,
    /// File to write; without it the CSV goes to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let mut client = global.client().await?;
    let request = v1::ExportProfilesRequest { parent: format!("organisations/{}", options.organisation) };
    let mut profiles = client.profiles.export_profiles(request).await?.into_inner();
    let mut sink: Box<dyn Write + Send> = match &options.output {
        Some(file) => Box::new(BufWriter::new(File::create(file)?)),
        None => Box::new(io::stdout()),
    };
    let mut written = 0_u64;
    if global.json {
        while let Some(part) = profiles.message().await? {
            for profile in &part.profiles {
                writeln!(sink, "{}", to_json(profile)?)?;
                written += 1;
            }
        }
        sink.flush()?;
    } else {
        let mut writer = ProfileWriter::new(sink)?;
        while let Some(part) = profiles.message().await? {
            for profile in part.profiles {
                writer.write(&convert::profile::draft(profile))?;
                written += 1;
            }
        }
        writer.finish()?.flush()?;
    }
    say(&format!("{written} profiles exported"));
    Ok(())
}
