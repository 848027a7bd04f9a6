//! The exported proof: a JSON object of its own, so that anybody can check a result with nothing but the problem. Its form
//! is described in `docs/certificate.md`.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::{Instance, Names, Violation};
use crate::engine::objective::Evidence;

/// Name and version of the form.
const FORMAT: &str = "wim-match-proof/1";

/// A proof, with the people whose prices it holds.
#[derive(Debug, Serialize, Deserialize)]
struct Exported<E> {
    format: String,
    /// Whether as many people as possible come before the total score.
    coverage_first: bool,
    /// Mentees in the order of their prices; missing where people go by their positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mentees: Option<Vec<String>>,
    /// Mentors in the order of their prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mentors: Option<Vec<String>>,
    proof: E,
}

/// Writes the proof of a result as JSON.
pub fn export(instance: &Instance, evidence: &Evidence, sink: impl Write) -> serde_json::Result<()> {
    let (mentees, mentors) = match &instance.names {
        Names::Positions => (None, None),
        Names::Given(mentees, mentors) => (Some(mentees.clone()), Some(mentors.clone())),
    };
    let coverage_first = instance.coverage_first;
    serde_json::to_writer(
        sink,
        &Exported { format: FORMAT.to_owned(), coverage_first, mentees, mentors, proof: evidence },
    )
}

/// Reads the proof of a result of `instance` back. Whether it proves anything is not decided here.
pub fn import(instance: &Instance, text: &str) -> Result<Evidence, Violation> {
    let refuse = |what: String| Violation { place: "certificate".to_owned(), what };
    let read: Exported<Evidence> =
        serde_json::from_str(text).map_err(|error| refuse(format!("is not a proof: {error}")))?;
    if read.format != FORMAT {
        return Err(refuse(format!("has the form `{}`, not `{FORMAT}`", read.format)));
    }
    if read.coverage_first != instance.coverage_first {
        return Err(refuse("is about another order of aims: `coverage_first` differs".to_owned()));
    }
    let given = match &instance.names {
        Names::Positions => (None, None),
        Names::Given(mentees, mentors) => (Some(mentees), Some(mentors)),
    };
    if (read.mentees.as_ref(), read.mentors.as_ref()) != given {
        return Err(refuse("is about other people, or lists them in another order".to_owned()));
    }
    Ok(read.proof)
}
