//! The engine: a frozen round in; the best assignment, its proof and its reasons out. The engine uses no database, no
//! clock, no async runtime, no input and no output.
//!
//! A round passes through these stages ([`solve`]):
//! 1. [`encode`] turns profiles into bits and small numbers.
//! 2. [`score`] judges every pair by the hard rules of [`eligibility`] and the criteria of the policy. [`pair_scores`]
//!    caches the scores if the memory suffices.
//! 3. [`objective`] finds the best assignment by [`assign`], [`fairest`] or [`stable`]. Pins are removed before, vetoed pairs
//!    are no candidates, and pairs of the run that the round follows count a little more (`pinned_problem`, `following`).
//! 4. [`certify`] proves the assignment. It shares no code with the solver.
//! 5. Every match gets its contributions, and everyone without a match gets a reason.
//!
//! [`solved_round`] answers questions about a solved round. Other operations work on any [`problem`], also on scores of a caller ([`pair_scores`]). [`constrained`] combines
//! [`decisions`] (pins and vetoes) with [`quota`] (floors and ceilings of groups). [`what_if`] computes the cost of any
//! pair and the alternates. [`repair`] changes few matches after publication. [`diagnose`] finds who cannot all be matched,
//! and whom to recruit. Problems from outside reach these operations. [`cpu`] chooses vector
//! instructions.
//!
//! Invariants: all arithmetic is on integers. People are ordered by a hash of their names. Therefore the same round gives
//! the same bytes on any machine, for any number of threads and any order of its people.

pub mod assign;
mod branch_and_bound;
pub mod certificate;
pub mod certify;
pub mod constrained;
pub mod cpu;
pub mod decisions;
pub mod diagnose;
mod digest;
mod directions;
pub mod eligibility;
pub mod encode;
pub mod exchange;
mod exclusion_counts;
mod explain;
pub mod fairest;
mod following;
mod graph;
pub mod groups;
mod headcount;
pub mod limit_tree;
mod limited;
pub mod objective;
pub mod objective_value;
pub mod observer;
pub mod pair_scores;
mod pinned_problem;
pub mod pool;
mod price_integer;
pub mod problem;
pub mod quota;
pub mod repair;
mod round;
mod round_quotas;
pub mod score;
mod shown;
pub mod solution;
pub mod solved_round;
pub mod stable;
mod summary;
#[cfg(test)]
mod tests;
mod unmatched;
mod wanted;
pub mod what_if;
mod wishes;

pub use self::diagnose::round::diagnose_round;
pub use self::digest::{ResultParts, digests};
pub use self::explain::explain_pair;
pub use self::round::{
    ENGINE_VERSION, NoOutcome, Options, Outcome, RunCertificate, repair_round, solve, verify,
};
