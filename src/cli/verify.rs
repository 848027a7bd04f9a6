//! `wim-match verify`: checks a result from the problem and the proof alone.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Solved, Source};
use crate::client::output::{data, show};
use crate::domain::message::Message;
use crate::engine::objective::Check;
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::solution::Evidence;
use crate::instance::Names;
use crate::message;

/// Hint for a proof that does not hold.
pub(super) const NOT_ITS_PROOF: &str =
    "the pairs and the proof must come from the same `solve` of this problem";

#[derive(Debug, Args)]
#[command(
    override_usage = "wim-match verify [OPTIONS] <--instance FILE | --mentees FILE --mentors FILE --scores FILE> --pairs FILE --certificate FILE"
)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    solved: Solved,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<(), Failure> {
    let (instance, aim) = options.source.read(global.lang)?;
    let constrained = problem::constrained(&instance, aim)?;
    let (pairs, evidence) = options.solved.read(&instance, aim, global.lang)?;
    let (check, _) = options
        .source
        .work(global.lang, |observer| constrained.check(&pairs, &evidence, observer))
        .map_err(problem::stopped)?;
    let told = unproved(&check, &evidence, &instance.names);
    let broken = check.feasible.as_ref().err();
    if global.json {
        let broken = broken.map(|broken| instance.names.infeasibility(broken).to_string());
        let score = check.feasible.is_ok().then(|| ObjectiveValue::of(&instance.problem(), &pairs).score);
        let answer = json!({
            "objective": aim.name(), "proved": check.proved, "broken_rule": broken, "total_score": score,
            "gap": check.gap.to_string(), "pairs": pairs.len(), "candidates": check.candidates, "blocking_pairs": check.blocking_pairs,
        });
        data(&answer.to_string())?;
    } else if check.proved {
        let told = match aim {
            Aim::Stable => message!(
                "proved: none of the {candidates} candidates is a blocking pair",
                candidates = check.candidates
            ),
            _ => message!(
                "proved: no assignment is better for the objective {objective}, over all {candidates} candidates",
                objective = aim.name(),
                candidates = check.candidates
            ),
        };
        show(&told, global.lang)?;
    }
    match told {
        None => Ok(()),
        Some(told) => Err(Failure::input(told, NOT_ITS_PROOF)),
    }
}

/// Why a result is not proved; `None` if it is.
pub(super) fn unproved(check: &Check, evidence: &Evidence, names: &Names) -> Option<Message> {
    match (&check.feasible, evidence) {
        _ if check.proved => None,
        (Err(broken), _) => Some(message!("not proved: {broken}", broken = names.infeasibility(broken))),
        (Ok(()), Evidence::Stable) => Some(message!(
            "not proved: {candidates|1 candidate is a blocking pair|{candidates} candidates are blocking pairs}",
            candidates = check.blocking_pairs
        )),
        (Ok(()), _) if check.gap != 0 => Some(message!(
            "not proved: the bound of the proof is above the value of the pairs by {gap} weighted points",
            gap = check.gap
        )),
        (Ok(()), _) => Some(message!(
            "not proved: the proof does not exclude an assignment that matches more people or has a better worst pair"
        )),
    }
}
