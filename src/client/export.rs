//! All profiles of an organisation, streamed from the service into a file.

use std::io::{self, Write};

use super::connection::Client;
use super::error::Error;
use super::json::to_json;
use crate::api::convert;
use crate::api::proto::v1;
use crate::domain::name::OrganisationId;
use crate::profile_csv::ProfileWriter;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV, as [`Import`](super::import::Import) reads it.
    Csv,
    /// Canonical proto JSON, one profile per line.
    Json,
}

/// Writes all profiles of an organisation to `sink`, ordered by id, and returns their number. Memory does not grow with
/// the number of profiles.
pub async fn export(
    client: &Client,
    organisation: &OrganisationId,
    form: Form,
    sink: impl Write,
) -> Result<u64, Error> {
    let request = v1::ExportProfilesRequest { parent: organisation.name() };
    let mut parts = client.profiles.clone().export_profiles(request).await?.into_inner();
    let mut writer = match form {
        Form::Csv => Writer::Csv(Box::new(ProfileWriter::new(sink)?)),
        Form::Json => Writer::Json(sink),
    };
    let mut written = 0;
    while let Some(part) = parts.message().await? {
        for profile in part.profiles {
            writer.write(profile)?;
            written += 1;
        }
    }
    writer.finish()?.flush()?;
    Ok(written)
}

enum Writer<W: Write> {
    Csv(Box<ProfileWriter<W>>),
    Json(W),
}

impl<W: Write> Writer<W> {
    fn write(&mut self, profile: v1::Profile) -> Result<(), Error> {
        match self {
            Self::Csv(writer) => writer.write(&convert::profile::draft(profile))?,
            Self::Json(sink) => writeln!(sink, "{}", to_json(&profile)?)?,
        }
        Ok(())
    }

    fn finish(self) -> io::Result<W> {
        match self {
            Self::Csv(writer) => writer.finish(),
            Self::Json(sink) => Ok(sink),
        }
    }
}
