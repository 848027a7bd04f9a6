//! What is proved of a result, as callers read it, and the digests by which a result is known.
//!
//! The values of a proof contain private points, so that they are in the stored certificate only. Callers read whether code
//! that shares nothing with the solver has proved the optimum, or a bound of it.

use serde::{Deserialize, Serialize};

/// What callers learn of the proof that no assignment is better. The values of the proof contain private points, so that
/// they are in the stored certificate only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Whether code that shares nothing with the solver has proved feasibility and optimality.
    pub proved: bool,
    /// Whether the same code has proved feasibility and a bound only: the assignment is the best one found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bounded: bool,
    /// Matched mentees by whom a better assignment could exceed this one at most: 0 if proved. `None` if no such bound is
    /// known, and for managers of a bounded result, because the bound is about everyone.
    pub gap: Option<u64>,
}

impl Proof {
    /// A proof that leaves a gap of so many matched mentees; `None` if no bound is known.
    pub fn new(proved: bool, gap: Option<u64>) -> Self {
        Self { proved, bounded: !proved && gap.is_some(), gap }
    }

    /// What the proof is worth.
    pub fn standing(&self) -> Standing {
        match (self.proved, self.bounded) {
            (true, _) => Standing::Optimal,
            (false, true) => Standing::Bounded { people: self.gap },
            (false, false) => Standing::Unproved,
        }
    }
}

/// What the proof of a result is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No assignment is better.
    Optimal,
    /// The best assignment found. It keeps all rules, and a better one matches at most so many more mentees.
    Bounded {
        /// Further mentees with a match; `None` for managers.
        people: Option<u64>,
    },
    /// No bound is known. The engine then has a defect, and the result must not be used.
    Unproved,
}

/// Digests of a run, of which callers see only keyed forms (HMAC with the round's salt).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    /// Of everything that coordinators can read of the input: the snapshot without private answers.
    pub open_input: String,
    /// Of everything that coordinators can read of the result: matches, people without a match, and the summary.
    pub open_result: String,
    /// Of the whole result with its certificate, which contains private points. It never leaves the service.
    pub whole_result: String,
}
