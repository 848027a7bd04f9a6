//! The engine as a whole: against a slow reference, and by story.

mod against_reference;
mod objectives;
pub(in crate::engine) mod reference;
mod stops;
mod stories;
#[path = "../../benches/support/synthetic.rs"]
mod synthetic;

use crate as wim_match;
