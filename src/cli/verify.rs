//! `wim-match verify`: whether a result is what it is said to be, from the problem and the proof alone.

use clap::Args;
use serde_json::json;

use super::output::data;
use super::problem::{self, Solved, Source};
use super::{Failure, Global};
use crate::engine::objective::{Check, Evidence};
use crate::engine::objective_value::ObjectiveValue;
use crate::instance::Names;

/// What to do about a proof that does not hold.
pub(super) const NOT_ITS_PROOF: &str =
    "the pairs and the proof must be those of one solve of this very problem";

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    solved: Solved,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let json = global.json;
    tokio::task::spawn_blocking(move || verify(&options, json)).await.map_err(anyhow::Error::from)?
}

fn verify(options: &Options, json: bool) -> Result<(), Failure> {
    let (instance, aim) = options.source.read()?;
    let constrained = problem::constrained(&instance, aim)?;
    let (pairs, evidence) = options.solved.read(&instance, aim)?;
    let (check, _) = options
        .source
        .work(|observer| constrained.check(&pairs, &evidence, observer))
        .map_err(problem::stopped)?;
    let told = unproved(&check, &evidence, &instance.names);
    let broken = check.feasible.as_ref().err().map(|broken| instance.names.infeasibility(broken));
    if json {
        let score = check.feasible.is_ok().then(|| ObjectiveValue::of(&instance.problem(), &pairs).score);
        let answer = json!({
            "proved": check.proved, "broken_rule": broken, "objective": score, "gap": check.gap.to_string(),
            "pairs": pairs.len(), "candidates": check.candidates, "blocking_pairs": check.blocking_pairs,
        });
        data(&answer.to_string())?;
    } else if check.proved {
        data(&format!(
            "proved: no assignment is better at {} over all {} candidates",
            aim.name(),
            check.candidates
        ))?;
    }
    match told {
        None => Ok(()),
        Some(told) => Err(Failure::input(told, NOT_ITS_PROOF)),
    }
}

/// What is told of a result that is not proved; nothing if it is.
pub(super) fn unproved(check: &Check, evidence: &Evidence, names: &Names) -> Option<String> {
    match (&check.feasible, evidence) {
        _ if check.proved => None,
        (Err(broken), _) => Some(format!(
            "the pairs break a rule, or the proof has not the right form: {}",
            names.infeasibility(broken)
        )),
        (Ok(()), Evidence::Stable) => Some(format!(
            "not stable: {} candidates would both rather be with each other",
            check.blocking_pairs
        )),
        (Ok(()), _) if check.gap != 0 => {
            Some(format!("not proved: an assignment might be better by {}", check.gap))
        }
        (Ok(()), _) => {
            Some("not proved: more people might be served, or the worst pair might be better".to_owned())
        }
    }
}
