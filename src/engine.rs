//! The engine: a frozen round in, the best assignment with its proof and its reasons out. Pure: no database, no clock,
//! no async, no input or output.
//!
//! The way of a round: [`encode`] turns profiles into bits and small numbers, [`score`] judges every pair under the hard
//! rules of [`eligibility`] and the criteria of the policy (cached by [`pair_scores`] where there is room), [`objective`] finds the best
//! assignment by [`assign`], [`fairest`] or [`stable`], [`certify`] proves it with code of its own, and reasons are given
//! for every match and for everyone without one.
//!
//! Around it, on any [`problem`], also with scores that a caller brings ([`pair_scores`]): [`decisions`] (pins and vetoes) and [`quota`] (floors
//! and ceilings of groups), which [`constrained`] puts together, [`what_if`] (the cost of any pair, alternates), [`repair`]
//! (few changes after publication) and [`diagnose`] (who cannot all be served, whom to recruit). Problems that callers bring
//! reach them; rounds do not yet. [`cpu`] chooses vector instructions.
//!
//! Everything is integer arithmetic, and people are ordered by a hash of their names: the same round gives the same bytes
//! on any machine, for any number of threads and any order of its people.

pub mod assign;
pub mod certificate;
pub mod certify;
pub mod constrained;
pub mod cpu;
pub mod decisions;
pub mod diagnose;
pub mod eligibility;
pub mod encode;
mod exclusion_counts;
mod explain;
pub mod fairest;
pub mod groups;
pub mod objective;
pub mod objective_value;
pub mod observer;
pub mod pair_scores;
pub mod pool;
pub mod problem;
pub mod quota;
pub mod repair;
mod round;
pub mod score;
pub mod stable;
mod summary;
#[cfg(test)]
mod tests;
mod unmatched;
pub mod what_if;

pub use self::explain::explain_pair;
pub use self::round::{ENGINE_VERSION, Options, Outcome, solve};
