//! `wim-match solve`: the engine for a problem in files, without a service.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Output, Source, number, some};
use super::verify::unproved;
use crate::client::output::{align_right, data, table};
use crate::clock::Stopwatch;
use crate::engine::certificate::GroupSide;
use crate::engine::constrained::{Constrained, Constraints, Impossible, Proved, Unsolved};
use crate::engine::groups::CutDirection;
use crate::engine::objective_value::BelowMinimum;
use crate::engine::solution::Evidence;
use crate::engine::stable::{Size, SizeGuarantee, StableSize};
use crate::instance::{self, Instance};
use crate::wording;

#[derive(Debug, Args)]
#[command(
    override_usage = "wim-match solve [OPTIONS] <--instance FILE | --mentees FILE --mentors FILE --scores FILE>"
)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// Write the pairs as CSV.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// Write the proof as JSON; docs/certificate.md describes how to check it.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Start from the pairs of an earlier result, whose people may differ. The value of the result is the same; a near start saves time.
    #[arg(long, value_name = "FILE", requires = "start_certificate")]
    start_pairs: Option<PathBuf>,
    /// The proof of the earlier result.
    #[arg(long, value_name = "FILE", requires = "start_pairs")]
    start_certificate: Option<PathBuf>,
    /// Solve and prove N times, and report the shortest time.
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let (instance, aim) = options.source.read(global.lang)?;
    let constrained = match options.start_pairs {
        Some(_) => problem::constrained_alone("--start-pairs", &instance, aim)?,
        None => problem::constrained(&instance, aim)?,
    };
    let start = options.start_pairs.as_deref().zip(options.start_certificate.as_deref());
    let start =
        start.map(|(pairs, proof)| problem::read_start(&instance, pairs, proof, global.lang)).transpose()?;
    let read = watch.elapsed();
    if options.pairs.is_some() && options.pairs == options.certificate {
        return Err(Failure::input("--pairs and --certificate name the same file", "name two files"));
    }
    let pairs = Output::begin(options.pairs.as_ref())?;
    let certificate = Output::begin(options.certificate.as_ref())?;
    let solved = options.source.work(|observer| {
        let mut solved = constrained.solve(start.as_ref(), observer)?;
        for _ in 1..options.repeat.get() {
            let again = constrained.solve(start.as_ref(), observer)?;
            if time(&again) < time(&solved) {
                solved = again;
            }
        }
        Ok(solved)
    });
    let (proved, threads) = match solved {
        Ok(proved) => proved,
        Err(unsolved) => return Err(unsolvable(&instance, &constrained, &unsolved, global)?),
    };
    let Proved { solution, check, .. } = &proved;
    if let Some(told) = unproved(check, &solution.evidence, &instance.names) {
        return Err(anyhow::anyhow!("{told}; this is a defect of the solver; no file was written").into());
    }
    if let Some(mut output) = pairs {
        instance::csv::write_pairs(&instance, &solution.pairs, &mut output.sink)
            .map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    if let Some(mut output) = certificate {
        instance::proof::export(&instance, &solution.evidence, &mut output.sink)
            .map_err(anyhow::Error::from)?;
        output.finish()?;
    }
    let report = Report { instance: &instance, aim, proved: &proved, read, threads };
    if global.json { report.json() } else { report.print() }
}

/// Time of solving and proving.
fn time(proved: &Proved) -> Duration {
    proved.solve + proved.prove
}

/// The failure of a problem that has no assignment; as JSON, it is also printed.
fn unsolvable(
    instance: &Instance,
    constrained: &Constrained<'_>,
    unsolved: &Unsolved,
    global: &Global,
) -> Result<Failure, Failure> {
    let impossible = match unsolved {
        Unsolved::TooManyTiers => return Ok(too_many_tiers()),
        Unsolved::Stopped(stopped) => return Ok(problem::stopped(*stopped)),
        Unsolved::Impossible(impossible) if !impossible.shortage.proved() => {
            return Err(anyhow::anyhow!(
                "the proof that the floors cannot be met does not hold; this is a defect of the solver"
            )
            .into());
        }
        Unsolved::Impossible(impossible) => impossible,
    };
    let reasons = instance.reasons(constrained, impossible);
    let Impossible { cut, shortage } = impossible;
    let mentees = problem::named(&cut.mentees, |at| instance.names.mentee(at));
    let mentors = problem::named(&cut.mentors, |at| instance.names.mentor(at));
    let groups = |groups: &[(GroupSide, u32)]| -> Vec<String> {
        groups.iter().map(|(side, at)| instance.names.group(*side, *at as usize)).collect()
    };
    if global.json {
        let reasons: Vec<_> = reasons
            .iter()
            .map(|reason| json!({ "code": reason.code.as_str(), "parameters": reason.parameters }))
            .collect();
        let need = match cut.direction {
            CutDirection::Inward => "mentees",
            CutDirection::Outward => "mentors",
        };
        let of_side = |side, groups: &[u32]| problem::named(groups, |at| instance.names.group(side, at));
        let told = json!({ "floors_unmet": {
            "asked": shortage.asked, "possible": shortage.possible, "reasons": reasons, "need": need,
            "mentees": mentees, "mentors": mentors,
            "mentee_groups": of_side(GroupSide::Mentees, &cut.mentee_groups),
            "mentor_groups": of_side(GroupSide::Mentors, &cut.mentor_groups),
            "floors": groups(&shortage.floors),
            "ceilings": groups(&shortage.ceilings),
            "wanted_by": problem::named(&shortage.mentees, |at| instance.names.mentee(at)),
            "places_of": problem::named(&shortage.mentors, |at| instance.names.mentor(at)),
            "candidates": shortage.candidates,
        }});
        data(&told.to_string())?;
    }
    let mut message = "no assignment meets all floors:".to_owned();
    for reason in &reasons {
        message += &["\n  ", &wording::sentence(reason, global.lang)].concat();
    }
    for line in concerned(instance, impossible) {
        message += &["\n  ", &line].concat();
    }
    if !instance.constraints.decisions.pins.is_empty() {
        message += "\n  These numbers do not count pinned pairs.";
    }
    let hint = if shortage.ceilings.is_empty() {
        "lower a floor, or add candidates or places for these people"
    } else {
        "lower a floor, raise a ceiling, or add candidates or places for these people"
    };
    Ok(Failure::unmet(message, hint))
}

/// The names of the people of a contradiction between bounds: a line per side that has any.
pub(super) fn concerned(instance: &Instance, impossible: &Impossible) -> Vec<String> {
    let Impossible { cut, shortage } = impossible;
    let united = |one: &[u32], other: &[u32]| {
        let both: BTreeSet<u32> = one.iter().chain(other).copied().collect();
        both.into_iter().collect::<Vec<u32>>()
    };
    let mentees = problem::named(&united(&cut.mentees, &shortage.mentees), |at| instance.names.mentee(at));
    let mentors = problem::named(&united(&cut.mentors, &shortage.mentors), |at| instance.names.mentor(at));
    let sides = [("mentees", mentees), ("mentors", mentors)].into_iter();
    sides
        .filter(|(_, people)| !people.is_empty())
        .map(|(who, people)| format!("{who}: {}", some(&people)))
        .collect()
}

/// Mentors below their minimum: name, number of mentees, minimum.
pub(super) fn minimums(instance: &Instance, below: &[BelowMinimum]) -> Vec<String> {
    let line = |one: &BelowMinimum| {
        format!("{}: {} of {}", instance.names.mentor(one.mentor as usize), one.matched, one.minimum)
    };
    below.iter().map(line).collect()
}

/// The same as JSON.
pub(super) fn minimums_in_json(instance: &Instance, below: &[BelowMinimum]) -> serde_json::Value {
    let entry = |one: &BelowMinimum| {
        let mentor = instance.names.mentor(one.mentor as usize);
        json!({ "mentor": mentor, "matched": one.matched, "minimum": one.minimum })
    };
    below.iter().map(entry).collect()
}

/// The failure of a problem whose tier weights exceed the integers of a proof.
pub(super) fn too_many_tiers() -> Failure {
    let what = "the problem has too many tiers and groups for an exact proof";
    Failure::input(what, "use fewer tiers or fewer groups")
}

/// The solution with what its output needs.
struct Report<'a> {
    instance: &'a Instance,
    aim: Aim,
    proved: &'a Proved,
    read: Duration,
    threads: usize,
}

impl Report<'_> {
    fn json(&self) -> Result<(), Failure> {
        let Proved { solution, objective_value, below_minimum, check, blocking_pairs, solve, prove } =
            self.proved;
        let decided = &self.instance.constraints.decisions;
        let (unmatched_mentees, unmatched_mentors) = self.unmatched();
        let mut told = json!({
            "objective": self.aim.name(),
            "total_score": objective_value.score,
            "score_factor": self.instance.decimals.factor(),
            "matched": objective_value.pairs,
            "proved": check.proved,
            "gap": number(check.gap),
            "threads": self.threads,
            "seconds": {
                "read": self.read.as_secs_f64(),
                "solve": solve.as_secs_f64(),
                "prove": prove.as_secs_f64(),
            },
            "counters": solution.counters,
            "mentees": self.instance.mentees.len(),
            "mentors": self.instance.mentors.len(),
            "candidates": check.candidates,
            "pins": decided.pins.len(),
            "vetoes": decided.vetoes.len(),
            "groups": self.instance.constraints.quotas.len(),
            "worst": objective_value.worst,
            "people": objective_value.people,
            "blocking_pairs": blocking_pairs,
            "below_minimum": minimums_in_json(self.instance, below_minimum),
            "unmatched_mentees": unmatched_mentees,
            "unmatched_mentors": unmatched_mentors,
        });
        if let (Some(size), Some(fields)) = (solution.stable_size, told.as_object_mut()) {
            fields.insert("stable_size".to_owned(), json!(size));
        }
        if let (Some(price), Some(fields)) = (solution.price_of_fairness(), told.as_object_mut()) {
            fields.insert("price_of_fairness".to_owned(), json!(price));
            fields.insert("frontier".to_owned(), json!(solution.frontier));
        }
        Ok(data(&told.to_string())?)
    }

    /// Everyone without a match, by name.
    fn unmatched(&self) -> (Vec<String>, Vec<String>) {
        let (mut mentees, mut mentors) = self.instance.unmatched(&self.proved.solution.pairs);
        mentees.sort_unstable();
        mentors.sort_unstable();
        (mentees, mentors)
    }

    fn print(&self) -> Result<(), Failure> {
        let shown = |units: i64| self.instance.decimals.shown(units);
        let Proved { solution, objective_value, below_minimum, check, blocking_pairs, solve, prove } =
            self.proved;
        let mut lines = vec![
            ("objective", self.aim.name().to_owned()),
            ("problem", {
                let (mentees, mentors) = (self.instance.mentees.len(), self.instance.mentors.len());
                format!("{mentees} mentees, {mentors} mentors, {} candidates", check.candidates)
            }),
            ("total score", shown(objective_value.score)),
            ("pairs", objective_value.pairs.to_string()),
        ];
        let Constraints { decisions, quotas } = &self.instance.constraints;
        if !self.instance.constraints.is_empty() {
            let (pins, vetoes) = (decisions.pins.len(), decisions.vetoes.len());
            lines.push(("constraints", format!("{pins} pins, {vetoes} vetoes, {} groups", quotas.len())));
        }
        for (tier, served) in &objective_value.people.tiers {
            let all = self.instance.mentees.iter().filter(|demand| demand.tier == *tier).count();
            lines.push(("mentees with a mentor", format!("{served} of {all} in tier {tier}")));
        }
        lines.push(("second mentors", objective_value.people.second_mentors.to_string()));
        lines.push(("minimum places filled", objective_value.people.minimum_places.to_string()));
        if !below_minimum.is_empty() {
            lines.push(("mentors below minimum", some(&minimums(self.instance, below_minimum))));
        }
        lines.push((
            "worst pair",
            objective_value.worst.map_or_else(|| "none".to_owned(), |worst| shown(worst.into())),
        ));
        lines.push(("blocking pairs", blocking_pairs.to_string()));
        if let Some(price) = solution.price_of_fairness() {
            lines.push(("price of fairness", format!("{} points of the total", shown(price))));
        }
        if let Some(StableSize { at_most, guarantee }) = solution.stable_size {
            let Size { mentees, pairs } = at_most;
            let bound =
                format!("no stable assignment has more than {mentees} matched mentees and {pairs} pairs");
            let size = match guarantee {
                SizeGuarantee::Largest => "no stable assignment matches more people".to_owned(),
                SizeGuarantee::TwoThirds => format!("at least two thirds of the most pairs; {bound}"),
                SizeGuarantee::Half => format!("at least half of the most pairs; {bound}"),
            };
            lines.push(("size", size));
        }
        lines.push((
            "proof",
            match (&solution.evidence, check.proved) {
                (_, false) => format!("NOT proved, gap {}", check.gap),
                (Evidence::Stable, true) => "proved: no candidate is a blocking pair".to_owned(),
                (_, true) => format!("proved over all {} candidates, gap 0", check.candidates),
            },
        ));
        let [read, solve, prove] =
            [self.read, *solve, *prove].map(|time| format!("{:.3} s", time.as_secs_f64()));
        lines.push((
            "time",
            format!("read {read}, solve {solve}, prove {prove}, on {} threads", self.threads),
        ));
        let counters = &solution.counters;
        lines.push((
            "work",
            format!(
                "{} bids, {} searches, {} phases, {} scans, {} arcs, {} pricing passes",
                counters.bids,
                counters.searches + counters.reverse_searches,
                counters.phases,
                counters.scans,
                counters.arcs,
                counters.pricing_rounds
            ),
        ));
        let (mentees, mentors) = self.unmatched();
        for (what, people) in [("without a mentor", mentees), ("without a mentee", mentors)] {
            if !people.is_empty() {
                lines.push((what, some(&people)));
            }
        }
        let mut rows = table(&[]);
        for (what, value) in lines {
            rows.add_row([what.to_owned(), value]);
        }
        data(&rows.to_string())?;
        if solution.frontier.len() > 1 {
            let mut steps = table(&["worst pair", "total score", "cost in score"]);
            let best = solution.frontier.first().map_or(0, |first| first.total);
            for step in &solution.frontier {
                steps.add_row([shown(step.worst.into()), shown(step.total), shown(best - step.total)]);
            }
            align_right(&mut steps, &[0, 1, 2]);
            data(&format!("\nTotal score for each value of the worst pair:\n{steps}"))?;
        }
        Ok(())
    }
}
