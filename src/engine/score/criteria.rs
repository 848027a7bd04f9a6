//! The criteria, one module each, named by the code of the criterion.
//!
//! A criterion whose answer is already in the profile is added in four steps:
//!
//! 1. an enum value in `proto/wim/mentorship/v1/policy.proto`, with its comment and its options;
//! 2. a file here, and its `mod` line below;
//! 3. its label in table `[criterion]` of every `data/wording/*.toml`;
//! 4. the texts of its reasons in table `[reason]` there. The keys are the reason codes, and the braces their parameters.
//!
//! Each module has a function `aspect(scale, round)` that returns the [`Aspect`](super::aspect::Aspect) of the criterion
//! under a policy, or `None` if the policy makes no use of it. The scale is `None` if the criterion weighs nothing; a hard
//! rule on the same answer may still need the aspect. For tests, `tests::expected(pair)` computes the criterion score from
//! two profiles in the plainest way, with none of the code above it.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the functions of all criteria have one form, also where none is `None`"
)]

mod career_stage;
mod commodities;
mod functions;
mod goals;
mod identity;
mod language;
mod meeting_mode;
mod preference;
mod previous_partner;
mod region_far;
mod region_near;
mod topics;
mod waiting_time;
mod weekly_overlap;
mod working_style;

use super::aspect::PointScale;
use super::table::Tables;
use crate::domain::policy::{Criterion, for_each_criterion};
use crate::engine::encode::Round;
use crate::engine::observer::Stopped;

/// Adds the aspect of every criterion, in the order of the API. The only error is that the caller asked to stop.
pub(super) fn add_all<'a>(tables: &mut Tables<'_, 'a>, round: &'a Round<'a>) -> Result<(), Stopped> {
    let policy = &round.snapshot.policy;
    macro_rules! add_each {
        ($($module:ident $criterion:ident,)+) => {
            $(tables.add($module::aspect(PointScale::of(policy, Criterion::$criterion), round))?;)+
        };
    }
    for_each_criterion!(add_each);
    Ok(())
}

/// The criterion score of a pair, 0..=10,000, computed from the profiles; `None` for a missing answer.
#[cfg(test)]
pub(in crate::engine) fn expected(
    criterion: Criterion,
    pair: &crate::engine::tests::reference::ReferencePair<'_>,
) -> Option<u64> {
    macro_rules! expect_each {
        ($($module:ident $criterion:ident,)+) => {
            match criterion {
                $(Criterion::$criterion => $module::tests::expected(pair),)+
            }
        };
    }
    for_each_criterion!(expect_each)
}
