//! `wim-match repair`: a published result for the problem as it is now, changed in few pairs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::{data, table};
use super::problem::{self, Output, Source, number};
use super::{Failure, Global};
use crate::engine::assign::Start;
use crate::engine::repair::{self, Proof, Repaired};
use crate::engine::totals::Totals;
use crate::instance::{self, Instance};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// The published pairs, as `solve --pairs` writes them; people who have left may be among them.
    #[arg(long, value_name = "FILE")]
    published: PathBuf,
    /// The proof of the published pairs: with it, the work is sooner done.
    #[arg(long, value_name = "FILE")]
    start_certificate: Option<PathBuf>,
    /// Change at most so many of the published pairs that are still possible [default: as many as is best].
    #[arg(long, value_name = "N")]
    budget: Option<usize>,
    /// Write the repaired pairs as CSV.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let json = global.json;
    tokio::task::spawn_blocking(move || mend(&options, json)).await.map_err(anyhow::Error::from)?
}

fn mend(options: &Options, json: bool) -> Result<(), Failure> {
    let (instance, aim) = options.source.read()?;
    let constrained = problem::constrained_alone("repair", &instance, aim)?;
    let (published, gone) = problem::read_known_pairs(&instance, &options.published)?;
    let start = match &options.start_certificate {
        Some(proof) => problem::read_start(&instance, &options.published, proof)?,
        None => Start { pairs: published.clone(), ..Start::default() },
    };
    let output = Output::begin(options.pairs.as_ref())?;
    let (rest, budget) = (constrained.rest(), options.budget);
    let free = constrained.without_pins(&published);
    let ((repaired, checked), _) = options.source.work(|observer| {
        let repaired = repair::repair(&rest, &free, &start, budget, observer)?;
        let checked = repair::check(&rest, &free, budget, &repaired, observer)?;
        Ok((repaired, checked))
    })?;
    if checked == Some(false) {
        let told = "the proof of the repaired pairs does not hold; this is a defect of the solver";
        return Err(anyhow::anyhow!("{told}, and nothing was written").into());
    }
    let pairs = constrained.with_pins(repaired.pairs.clone());
    if let Some(mut output) = output {
        instance::csv::write_pairs(&instance, &pairs, &mut output.sink).map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    let report = Report { instance: &instance, published: &published, gone, pairs: &pairs, repaired: &repaired };
    if json { report.json() } else { report.print() }
}

/// What is told of repaired pairs.
struct Report<'a> {
    instance: &'a Instance,
    /// The published pairs whose people are still there.
    published: &'a [(u32, u32)],
    /// How many others were published.
    gone: u64,
    pairs: &'a [(u32, u32)],
    repaired: &'a Repaired,
}

impl Report<'_> {
    /// Published pairs that are kept, pins among them.
    fn kept(&self) -> usize {
        self.published.iter().filter(|pair| self.pairs.contains(pair)).count()
    }

    /// Published pairs that could be kept and are not.
    fn changed(&self) -> usize {
        self.repaired.possible - self.repaired.kept
    }

    fn proof(&self) -> &'static str {
        match self.repaired.proof {
            _ if !self.repaired.proved() => "none",
            Proof::Whole => "whole",
            Proof::Pinned => "pinned",
            Proof::Bonus(_) => "bonus",
            Proof::Branches => "branches",
        }
    }

    fn json(&self) -> Result<(), Failure> {
        let Repaired { value, bound, .. } = self.repaired;
        let totals = Totals::of(&self.instance.problem(), self.pairs);
        let told = json!({
            "published": self.published.len() as u64 + self.gone,
            "kept": self.kept(),
            "changed": self.changed(),
            "lost": self.lost(),
            "pairs": self.pairs.len(),
            "objective": totals.score,
            "people": totals.people,
            "value": number(*value),
            "bound": number(*bound),
            "proved": self.repaired.proved(),
            "proof": self.proof(),
        });
        Ok(data(&told.to_string())?)
    }

    /// Published pairs that are possible no longer.
    fn lost(&self) -> u64 {
        self.published.len() as u64 + self.gone - (self.kept() + self.changed()) as u64
    }

    fn print(&self) -> Result<(), Failure> {
        let Repaired { value, bound, .. } = self.repaired;
        let totals = Totals::of(&self.instance.problem(), self.pairs);
        let proof = match (self.proof(), self.repaired.proved()) {
            (_, false) => "not proved: there may be a better one within the budget".to_owned(),
            ("branches", _) => "proved by trying everything that could be better".to_owned(),
            ("whole", _) => "proved: nothing is better, whatever the budget".to_owned(),
            _ => "proved: nothing is better within the budget".to_owned(),
        };
        let lines = [
            ("published pairs", (self.published.len() as u64 + self.gone).to_string()),
            ("kept", self.kept().to_string()),
            ("changed", self.changed().to_string()),
            ("no longer possible", self.lost().to_string()),
            ("pairs", self.pairs.len().to_string()),
            ("total score", totals.score.to_string()),
            ("value", value.to_string()),
            ("bound", bound.to_string()),
            ("proof", proof),
        ];
        let mut rows = table(&[]);
        for (what, told) in lines {
            rows.add_row([what.to_owned(), told]);
        }
        Ok(data(&rows.to_string())?)
    }
}
