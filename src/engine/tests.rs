//! Tests of the whole engine: against a slow reference, and with small rounds that each show one behaviour.

mod against_reference;
mod following;
mod least_places;
mod objectives;
mod quotas;
pub(in crate::engine) mod reference;
mod solved_round;
mod stops;
mod stories;
#[path = "../../benches/support/synthetic.rs"]
mod synthetic;
mod wanted;

use crate as wim_match;
