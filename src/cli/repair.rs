//! `wim-match repair`: the best result for the changed problem that keeps most pairs of a published result.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Output, Source, number, some};
use crate::client::output::{data, table};
use crate::engine::assign::Start;
use crate::engine::constrained::Mended;
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::repair::Proof;
use crate::instance::{self, Decimals};

#[derive(Debug, Args)]
#[command(
    override_usage = "wim-match repair [OPTIONS] <--instance FILE | --mentees FILE --mentors FILE --scores FILE> --published FILE"
)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// The published pairs, as `solve --pairs` writes them; they may contain people who have left.
    #[arg(long, value_name = "FILE")]
    published: PathBuf,
    /// The proof of the published pairs; it saves time.
    #[arg(long, value_name = "FILE")]
    start_certificate: Option<PathBuf>,
    /// Remove at most N of the published pairs that are still possible [default: no limit].
    #[arg(long, value_name = "N")]
    budget: Option<usize>,
    /// Write the repaired pairs as CSV.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<(), Failure> {
    let (instance, aim) = options.source.read(global.lang)?;
    let constrained = problem::constrained_alone("repair", &instance, aim)?;
    let (published, gone) = problem::read_known_pairs(&instance, &options.published, global.lang)?;
    let start = match &options.start_certificate {
        Some(proof) => problem::read_start(&instance, &options.published, proof, global.lang)?,
        None => Start { pairs: published.clone(), ..Start::default() },
    };
    let output = Output::begin(options.pairs.as_ref())?;
    let (mended, _) = options
        .source
        .work(|observer| constrained.repair(&published, &start, options.budget, observer))
        .map_err(problem::stopped)?;
    if mended.checked == Some(false) {
        let message = "the proof of the repaired pairs does not hold; this is a defect of the solver; no file was written";
        return Err(anyhow::anyhow!(message).into());
    }
    if let Some(mut output) = output {
        instance::csv::write_pairs(&instance, &mended.pairs, &mut output.sink)
            .map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    let totals = ObjectiveValue::of(&instance.problem(), &mended.pairs);
    let (mut mentees, mut mentors) = instance.unmatched(&mended.pairs);
    mentees.sort_unstable();
    mentors.sort_unstable();
    let decimals = instance.decimals;
    let report = Report { aim, mended: &mended, totals, decimals, gone, mentees, mentors };
    if global.json { report.json() } else { report.print() }
}

/// The repaired pairs with what their output needs.
struct Report<'a> {
    aim: Aim,
    mended: &'a Mended,
    totals: ObjectiveValue,
    decimals: Decimals,
    /// Published pairs of people who have left.
    gone: u64,
    /// Mentees without a mentor.
    mentees: Vec<String>,
    /// Mentors without a mentee.
    mentors: Vec<String>,
}

impl Report<'_> {
    /// Published pairs that are no longer possible.
    fn lost(&self) -> u64 {
        self.mended.lost as u64 + self.gone
    }

    fn published(&self) -> u64 {
        (self.mended.kept + self.mended.changed) as u64 + self.lost()
    }

    fn proof(&self) -> &'static str {
        let repaired = &self.mended.repaired;
        match repaired.proof {
            _ if !repaired.proved() => "none",
            Proof::Whole => "whole",
            Proof::Pinned => "pinned",
            Proof::Bonus(_) => "bonus",
            Proof::Branches => "branches",
        }
    }

    fn json(&self) -> Result<(), Failure> {
        let Mended { pairs, kept, changed, repaired, .. } = self.mended;
        let told = json!({
            "objective": self.aim.name(),
            "published": self.published(),
            "kept": kept,
            "changed": changed,
            "lost": self.lost(),
            "pairs": pairs.len(),
            "total_score": self.totals.score,
            "score_factor": self.decimals.factor(),
            "people": self.totals.people,
            "value": number(repaired.value),
            "bound": number(repaired.bound),
            "proved": repaired.proved(),
            "proof": self.proof(),
            "unmatched_mentees": self.mentees,
            "unmatched_mentors": self.mentors,
        });
        Ok(data(&told.to_string())?)
    }

    fn print(&self) -> Result<(), Failure> {
        let Mended { pairs, kept, changed, repaired, .. } = self.mended;
        let proof = match self.proof() {
            "none" => "not proved: a better result may exist within the budget",
            "branches" => "proved by branch and bound: no result within the budget is better",
            "whole" => "proved: no result is better, with any budget",
            _ => "proved: no result within the budget is better",
        };
        let lines = [
            ("published pairs", self.published().to_string()),
            ("kept published pairs", kept.to_string()),
            ("removed published pairs", changed.to_string()),
            ("impossible published pairs", self.lost().to_string()),
            ("pairs of the result", pairs.len().to_string()),
            ("total score", self.decimals.shown(self.totals.score)),
            ("value of the result", repaired.value.to_string()),
            ("upper bound of the value", repaired.bound.to_string()),
            ("proof", proof.to_owned()),
        ];
        let mut rows = table(&[]);
        for (what, told) in lines {
            rows.add_row([what.to_owned(), told]);
        }
        data(&rows.to_string())?;
        for (who, people) in
            [("mentees without a mentor", &self.mentees), ("mentors without a mentee", &self.mentors)]
        {
            if !people.is_empty() {
                data(&format!("{who}: {}\n  {}", people.len(), some(people)))?;
            }
        }
        Ok(())
    }
}
