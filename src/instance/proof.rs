//! The exported proof: a JSON object with which a third party can check a result against the problem alone. The format is
//! described in `docs/certificate.md`.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::Instance;
use super::names::Given;
use crate::domain::message::Message;
use crate::domain::violation::Violation;
use crate::engine::assign::Start;
use crate::engine::certificate::Certificate;
use crate::engine::solution::Evidence;
use crate::message;

/// Name and version of the format.
const FORMAT: &str = "wim-match-proof/1";

/// A proof, with the names of the people and groups whose prices it contains.
#[derive(Debug, Serialize, Deserialize)]
struct Exported<E> {
    format: String,
    /// Whether the number of matched people comes before the total score.
    coverage_first: bool,
    /// Mentees in the order of their prices; absent if the people have positions instead of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mentees: Option<Vec<String>>,
    /// Mentors in the order of their prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mentors: Option<Vec<String>>,
    /// Groups of mentees in the order of their prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentee_groups: Vec<String>,
    /// Groups of mentors in the order of their prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentor_groups: Vec<String>,
    proof: E,
}

/// Writes the proof of a result as JSON.
pub fn export(instance: &Instance, evidence: &Evidence, sink: impl Write) -> serde_json::Result<()> {
    let given = instance.names.given();
    let groups = |of: fn(&Given) -> &Vec<String>| given.map(|given| of(given).clone()).unwrap_or_default();
    let exported = Exported {
        format: FORMAT.to_owned(),
        coverage_first: instance.coverage_first,
        mentees: given.map(|given| given.mentees.clone()),
        mentors: given.map(|given| given.mentors.clone()),
        mentee_groups: groups(|given| &given.mentee_groups),
        mentor_groups: groups(|given| &given.mentor_groups),
        proof: evidence,
    };
    serde_json::to_writer(sink, &exported)
}

/// Reads the proof of a result of `instance`. The certifier, not this function, decides whether the proof is valid.
pub fn import(instance: &Instance, text: &str) -> Result<Evidence, Violation> {
    let read = read(text)?;
    if read.coverage_first != instance.coverage_first {
        return Err(refuse(message!(
            "is the proof of a result of another objective; choose the --objective of that result, best-total or total"
        )));
    }
    let given = instance.names.given();
    let people = (given.map(|given| &given.mentees), given.map(|given| &given.mentors));
    if (read.mentees.as_ref(), read.mentors.as_ref()) != people {
        return Err(refuse(message!(
            "is the proof of a problem with other people; use the proof that `solve` wrote for these files"
        )));
    }
    let groups = given.map(|given| (given.mentee_groups.as_slice(), given.mentor_groups.as_slice()));
    if (read.mentee_groups.as_slice(), read.mentor_groups.as_slice()) != groups.unwrap_or_default() {
        return Err(refuse(message!(
            "is the proof of a problem with other groups; use the proof that `solve` wrote for these files"
        )));
    }
    Ok(read.proof)
}

/// A warm start for `instance`: pairs of an earlier result, and the prices of its proof. Prices of people who have left are
/// ignored; people who have joined have no price.
pub fn start(instance: &Instance, pairs: Vec<(u32, u32)>, text: &str) -> Result<Start, Violation> {
    let read = read(text)?;
    let finder = instance.names.finder();
    let mentors = match (&read.mentors, instance.names.given()) {
        (None, None) => (0..).map(Some).take(instance.mentors.len()).collect(),
        (Some(mentors), Some(_)) => mentors.iter().map(|mentor| finder.mentor(mentor)).collect::<Vec<_>>(),
        _ => {
            return Err(refuse(message!(
                "is the proof of a problem in another format; use the proof of a problem in the same kind of files"
            )));
        }
    };
    let certificate = match read.proof {
        Evidence::BestTotal(certificate) => certificate,
        Evidence::Fairest(fairness) => fairness.total,
        // Problems from outside have no directions to choose and no limits; such a proof gives no prices.
        Evidence::Stable
        | Evidence::Branches(_)
        | Evidence::FairBranches(_)
        | Evidence::Bounded(_)
        | Evidence::Limited(_) => Certificate::default(),
    };
    let earlier = Start {
        pairs: Vec::new(),
        mentor_prices: certificate.mentor_prices.into_iter().map(Some).collect(),
        minimum: certificate.minimum,
    };
    Ok(Start { pairs, ..earlier.moved(&[], &mentors, instance.mentors.len()) })
}

fn read(text: &str) -> Result<Exported<Evidence>, Violation> {
    let read: Exported<Evidence> = serde_json::from_str(text).map_err(|error| {
        refuse(message!(
            "is not the JSON of a proof: {cause}; use the file that `solve --certificate` wrote",
            cause = error.to_string()
        ))
    })?;
    if read.format == FORMAT {
        Ok(read)
    } else {
        Err(refuse(message!(
            "has the format `{format}`, but this version reads `{known}`; solve the problem again with this version",
            format = read.format,
            known = FORMAT
        )))
    }
}

fn refuse(what: Message) -> Violation {
    Violation::new("certificate", what)
}
