//! `wim-match parameters list`: what every report measures, and how.

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use crate::client::output::{items, tell};
use crate::client::v1;
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the common parameters with their definitions.
    List,
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let Command::List = command;
    let mut client = global.client().await?;
    let (mut parameters, mut request) = (Vec::new(), v1::ListParametersRequest::default());
    let version = loop {
        let page = client.reports.list_parameters(request).await?.into_inner();
        parameters.extend(page.parameters);
        if page.next_page_token.is_empty() {
            break page.list_version;
        }
        request = v1::ListParametersRequest {
            page_token: page.next_page_token,
            ..v1::ListParametersRequest::default()
        };
    };
    let header = [message!("Parameter"), message!("Name"), message!("Definition"), message!("Counted as")];
    let row = |one: &v1::Parameter| {
        let counted = if one.numerator.is_empty() {
            one.base.clone()
        } else {
            format!("{} / {}", one.numerator, one.denominator)
        };
        [one.parameter_id.clone(), one.display_name.clone(), one.definition.clone(), counted]
    };
    items(&parameters, &header, row, global.json, global.lang)?;
    let (number, version) = (parameters.len() as u64, u64::try_from(version).unwrap_or_default());
    tell(
        &message!(
            "{number|1 parameter|{number} parameters}; version {version} of the list",
            number = number,
            version = version
        ),
        global.lang,
    );
    Ok(())
}
