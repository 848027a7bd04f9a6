//! `wim-match repair`: the best result for the changed problem that keeps most pairs of a published result.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Output, Source, number, some};
use crate::client::output::{data, labels, show};
use crate::domain::message::MessageValue;
use crate::domain::vocabulary::Lang;
use crate::engine::assign::Start;
use crate::engine::constrained::Mended;
use crate::engine::objective_value::ObjectiveValue;
use crate::engine::repair::Proof;
use crate::instance::{self, Decimals};
use crate::{message, wording};

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
        .work(global.lang, |observer| constrained.repair(&published, &start, options.budget, observer))
        .map_err(problem::stopped)?;
    if mended.checked == Some(false) {
        return Err(Failure::other(message!(
            "the proof of the repaired pairs does not hold; this is a defect of the solver; no file was written"
        )));
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
    if global.json { report.json() } else { report.print(global.lang) }
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

    fn print(&self, lang: Lang) -> Result<(), Failure> {
        let Mended { pairs, kept, changed, repaired, .. } = self.mended;
        let proof = match self.proof() {
            "none" => message!("not proved: a better result may exist within the budget"),
            "branches" => {
                message!("proved by branch and bound: no result within the budget is better")
            }
            "whole" => message!("proved: no result is better, with any budget"),
            _ => message!("proved: no result within the budget is better"),
        };
        let number = |number: MessageValue| message!("{number}", number = number);
        let lines = [
            (message!("published pairs"), number(self.published().into())),
            (message!("kept published pairs"), number((*kept).into())),
            (message!("removed published pairs"), number((*changed).into())),
            (message!("impossible published pairs"), number(self.lost().into())),
            (message!("pairs of the result"), number(pairs.len().into())),
            (message!("total score"), number(self.decimals.value(self.totals.score))),
            (message!("value of the result"), number(repaired.value.into())),
            (message!("upper bound of the value"), number(repaired.bound.into())),
            (message!("proof"), proof),
        ];
        data(&labels(lines, lang).to_string())?;
        let (mentees, mentors) = (&self.mentees, &self.mentors);
        for (told, people) in [
            (message!("mentees without a mentor: {count}", count = mentees.len()), mentees),
            (message!("mentors without a mentee: {count}", count = mentors.len()), mentors),
        ] {
            if !people.is_empty() {
                show(&told, lang)?;
                data(&format!("  {}", wording::message(&some(people), lang)))?;
            }
        }
        Ok(())
    }
}
