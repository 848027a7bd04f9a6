//! `wim-match organisation create|rules|retention|membership|list`.

use clap::{Subcommand, ValueEnum};

use super::failure::Failure;
use super::global::Global;
use super::names::name;
use crate::client::output::{data, json, tell, titled};
use crate::client::{request_id, v1};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::OrganisationDraft;
use crate::domain::vocabulary::{Country, Region};
use crate::message;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register an organisation.
    Create {
        /// Id: lower-case letters, digits and hyphens, for example `wim-peru`.
        id: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// Country of its seat, ISO 3166-1 alpha-2, for example PE.
        #[arg(long)]
        country: String,
    },
    /// Set the organisation's own rules, which replace its present ones. Its manager alone.
    Rules {
        /// Id of the organisation.
        id: String,
        /// Match members of this organisation with each other only.
        #[arg(long)]
        same_organisation_only: bool,
        /// Id of an organisation whose members are never matched with members of this one; may be repeated.
        #[arg(long, value_name = "ID")]
        exclude: Vec<String>,
        /// Most places that mentors of this organisation give to mentees of others in a round.
        #[arg(long, value_name = "PLACES")]
        most_given: Option<i32>,
        /// Most places that mentees of this organisation take from mentors of others in a round.
        #[arg(long, value_name = "PLACES")]
        most_taken: Option<i32>,
    },
    /// Set after how many days people of the organisation who take part in nothing any more are erased.
    Retention {
        /// Id of the organisation.
        id: String,
        /// Days, 30 to 3650; 0 keeps profiles until somebody erases them.
        #[arg(long, value_name = "DAYS")]
        idle_days: i32,
    },
    /// Set what an organisation is to the alliance. The Secretariat alone.
    Membership {
        /// Id of the organisation.
        id: String,
        /// What the organisation is from now on. Unless it is a member, its people leave every round that is not published.
        #[arg(long, value_enum)]
        state: State,
        /// The version of the Alliance's rules that the organisation has accepted, for example 2026-1.
        #[arg(long, value_name = "VERSION")]
        rules_version: Option<String>,
    },
    /// List organisations.
    List,
}

/// States of a membership.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum State {
    /// It has applied and is not admitted yet.
    Applicant,
    /// It can be invited to rounds.
    Member,
    /// The alliance has suspended it.
    Suspended,
    /// It has left the alliance.
    Left,
}

impl State {
    fn message(self) -> v1::MembershipState {
        match self {
            Self::Applicant => v1::MembershipState::Applicant,
            Self::Member => v1::MembershipState::Member,
            Self::Suspended => v1::MembershipState::Suspended,
            Self::Left => v1::MembershipState::Left,
        }
    }
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    match command {
        Command::Create { id, name, country } => {
            let draft = OrganisationDraft { display_name: name, country, ..OrganisationDraft::default() };
            let organisation =
                client.create_organisation(id.trim_start_matches("organisations/"), draft).await?;
            if global.json {
                json(&organisation)?;
            } else {
                data(&organisation.name)?;
                let id = id.trim_start_matches("organisations/");
                let told = message!(
                    "next: create a token of its manager, on the machine of the service, with `{command}`",
                    command = format!(
                        "wim-match admin token create --role organisation-manager --organisation {id}"
                    )
                );
                tell(&told, global.lang);
            }
        }
        Command::Rules { id, same_organisation_only, exclude, most_given, most_taken } => {
            let name = |id: &String| format!("organisations/{}", id.trim_start_matches("organisations/"));
            let organisation = OrganisationId::from_name(&name(&id))
                .map_err(|error| Failure::input(format!("`{id}` {error}"), ""))?;
            let excluded_organisations = exclude.iter().map(name).collect();
            let rules = v1::OrganisationRules {
                same_organisation_only,
                excluded_organisations,
                most_places_given: most_given,
                most_places_taken: most_taken,
            };
            let changed = client.set_rules(&organisation, rules).await?;
            if global.json { json(&changed)? } else { data(&changed.name)? }
        }
        Command::Retention { id, idle_days } => {
            let changed = client.set_idle_profile_days(&name("organisations/", &id), idle_days).await?;
            if global.json {
                json(&changed)?
            } else {
                data(&changed.name)?
            }
            let told = message!(
                "`{command}` counts whom that erases now",
                command = format!("wim-match privacy purge {id} --validate-only")
            );
            tell(&told, global.lang);
        }
        Command::Membership { id, state, rules_version } => {
            let request = v1::SetMembershipRequest {
                name: name("organisations/", &id),
                state: state.message().into(),
                rules_version: rules_version.unwrap_or_default(),
                request_id: request_id(),
                ..v1::SetMembershipRequest::default()
            };
            let changed = client.organisations.clone().set_membership(request).await?.into_inner();
            let organisation = changed.organisation.unwrap_or_default();
            if global.json { json(&organisation)? } else { data(&organisation.name)? }
        }
        Command::List => {
            let organisations = client.all_organisations().await?;
            if global.json {
                for organisation in &organisations {
                    json(organisation)?;
                }
                return Ok(());
            }
            let header =
                [message!("Organisation"), message!("Name"), message!("Country"), message!("Region")];
            let mut rows = titled(&header, global.lang);
            for o in &organisations {
                let country =
                    Country::from_code(&o.country).map_or(&*o.country, |known| known.label(global.lang));
                let region =
                    Region::from_code(&o.region).map_or(&*o.region, |known| known.label(global.lang));
                rows.add_row([&o.name, &o.display_name, country, region]);
            }
            data(&rows.to_string())?;
        }
    }
    Ok(())
}
