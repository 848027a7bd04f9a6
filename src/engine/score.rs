//! Scores of all pairs of a round, computed on demand and not stored.
//!
//! Input: an encoded round. Output: the [`Verdict`](super::eligibility::Verdict) of every pair, which is its score and the hard rules that it breaks.
//! Invariant: the verdict of a pair is the sum of the verdicts of its aspects ([`aspect::Aspect`]). The lowest score and the
//! rule on mutual mentoring then apply to the sum. [`Scores`] computes one pair in this way, and the dense pass
//! ([`dense`]) computes the same numbers for all pairs.
//!
//! The dense pass:
//! - People who gave an aspect the same answer are one class of the aspect. The pass judges classes, not people: for one
//!   mentee it writes the verdict of every class of mentors, and each pair costs a few look-ups and additions.
//! - Aspects of few classes are joined into *bundles*, whose joint classes are named by one byte per mentor.
//! - Sets of terms, languages and hours have too many classes. These aspects put the mentors into few classes for each
//!   mentee, by counting what each mentor has in common with the mentee.
//! - Answers about particular people (avoid lists, previous partners, preferences) are a sparse correction at the end.
//! - All of it runs on columns of one byte per mentor, and the sums of a pair stay in registers: see [`super::cpu`].
//!
//! Memory: nothing per pair. Each mentor takes some thirty bytes of columns, one byte per language of the round, and 42
//! bytes per season for the hours (168 more with a roster). Each person of either side takes a key of 8 bytes, 2 bytes per
//! aspect, and a copy of her languages and hours (some 100 bytes, and more with every season).

mod aspect;
mod bundle;
mod columns;
mod coverage;
mod criteria;
mod dense;
mod nearness;
mod own_rules;
mod preferred;
mod scores;
mod separation;
mod similarity;
mod table;

pub(super) use self::aspect::{Finding, Story};
#[cfg(test)]
pub(super) use self::criteria::expected;
pub(super) use self::dense::Rows;
pub(super) use self::preferred::Preferred;
pub use self::scores::Scores;
pub(super) use super::eligibility::Plane;
