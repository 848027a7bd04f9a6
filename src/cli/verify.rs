//! `wim-match verify`: checks a result from the problem and the proof alone.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Solved, Source};
use crate::client::output::data;
use crate::engine::objective::Check;
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::solution::Evidence;
use crate::instance::Names;

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
        .work(|observer| constrained.check(&pairs, &evidence, observer))
        .map_err(problem::stopped)?;
    let told = unproved(&check, &evidence, &instance.names);
    let broken = check.feasible.as_ref().err().map(|broken| instance.names.infeasibility(broken));
    if global.json {
        let score = check.feasible.is_ok().then(|| ObjectiveValue::of(&instance.problem(), &pairs).score);
        let answer = json!({
            "objective": aim.name(), "proved": check.proved, "broken_rule": broken, "total_score": score,
            "gap": check.gap.to_string(), "pairs": pairs.len(), "candidates": check.candidates, "blocking_pairs": check.blocking_pairs,
        });
        data(&answer.to_string())?;
    } else if check.proved {
        data(&match aim {
            Aim::Stable => {
                format!("proved: none of the {} candidates is a blocking pair", check.candidates)
            }
            _ => format!(
                "proved: no assignment is better for the objective {}, over all {} candidates",
                aim.name(),
                check.candidates
            ),
        })?;
    }
    match told {
        None => Ok(()),
        Some(told) => Err(Failure::input(told, NOT_ITS_PROOF)),
    }
}

/// Why a result is not proved; `None` if it is.
pub(super) fn unproved(check: &Check, evidence: &Evidence, names: &Names) -> Option<String> {
    match (&check.feasible, evidence) {
        _ if check.proved => None,
        (Err(broken), _) => Some(format!("not proved: {}", names.infeasibility(broken))),
        (Ok(()), Evidence::Stable) => Some(match check.blocking_pairs {
            1 => "not proved: 1 candidate is a blocking pair".to_owned(),
            many => format!("not proved: {many} candidates are blocking pairs"),
        }),
        (Ok(()), _) if check.gap != 0 => Some(format!(
            "not proved: the bound of the proof is above the value of the pairs by {} weighted points",
            check.gap
        )),
        (Ok(()), _) => Some(
            "not proved: the proof does not exclude an assignment that matches more people or has a better \
             worst pair"
                .to_owned(),
        ),
    }
}
