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
use crate::client::output::{align_right, data, labels, show, titled};
use crate::clock::Stopwatch;
use crate::domain::message::{Message, MessageValue};
use crate::domain::vocabulary::Lang;
use crate::engine::certificate::GroupSide;
use crate::engine::constrained::{Constrained, Constraints, Impossible, Proved, Unsolved};
use crate::engine::groups::CutDirection;
use crate::engine::objective_value::BelowMinimum;
use crate::engine::solution::Evidence;
use crate::engine::stable::{Size, SizeGuarantee, StableSize};
use crate::instance::{self, Instance};
use crate::{message, wording};

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
        return Err(Failure::input(
            message!("--pairs and --certificate name the same file"),
            message!("name two files"),
        ));
    }
    let pairs = Output::begin(options.pairs.as_ref())?;
    let certificate = Output::begin(options.certificate.as_ref())?;
    let solved = options.source.work(global.lang, |observer| {
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
        return Err(Failure::other(message!(
            "{wrong}; this is a defect of the solver; no file was written",
            wrong = told
        )));
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
    if global.json { report.json() } else { report.print(global.lang) }
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
            return Err(Failure::other(message!(
                "the proof that the floors cannot be met does not hold; this is a defect of the solver"
            )));
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
    let sentences = reasons.iter().map(|reason| Message::verbatim(wording::sentence(reason, global.lang)));
    let mut details: Vec<Message> = sentences.chain(concerned(instance, impossible)).collect();
    if !instance.constraints.decisions.pins.is_empty() {
        details.push(message!("These numbers do not count pinned pairs."));
    }
    let hint = if shortage.ceilings.is_empty() {
        message!("lower a floor, or add candidates or places for these people")
    } else {
        message!("lower a floor, raise a ceiling, or add candidates or places for these people")
    };
    Ok(Failure::unmet(message!("no assignment meets all floors:"), hint).with_details(details))
}

/// The names of the people of a contradiction between bounds: a line per side that has any.
pub(super) fn concerned(instance: &Instance, impossible: &Impossible) -> Vec<Message> {
    let Impossible { cut, shortage } = impossible;
    let united = |one: &[u32], other: &[u32]| {
        let both: BTreeSet<u32> = one.iter().chain(other).copied().collect();
        both.into_iter().collect::<Vec<u32>>()
    };
    let mentees = problem::named(&united(&cut.mentees, &shortage.mentees), |at| instance.names.mentee(at));
    let mentors = problem::named(&united(&cut.mentors, &shortage.mentors), |at| instance.names.mentor(at));
    let mut lines = Vec::new();
    if !mentees.is_empty() {
        lines.push(message!("mentees: {names}", names = some(&mentees)));
    }
    if !mentors.is_empty() {
        lines.push(message!("mentors: {names}", names = some(&mentors)));
    }
    lines
}

/// Mentors below their minimum: name, number of mentees, minimum.
pub(super) fn minimums(instance: &Instance, below: &[BelowMinimum], lang: Lang) -> Vec<String> {
    let line = |one: &BelowMinimum| {
        let figures = message!("{part} of {whole}", part = one.matched, whole = one.minimum);
        let mentor = instance.names.mentor(one.mentor as usize);
        wording::labelled(&mentor, &wording::message(&figures, lang), lang)
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
    Failure::input(
        message!("the problem has too many tiers and groups for an exact proof"),
        message!("use fewer tiers or fewer groups"),
    )
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

    fn print(&self, lang: Lang) -> Result<(), Failure> {
        let Proved { solution, below_minimum, check, blocking_pairs, solve, prove, .. } = self.proved;
        let mut lines = self.figures();
        if !below_minimum.is_empty() {
            let below = some(&minimums(self.instance, below_minimum, lang));
            lines.push((message!("mentors below minimum"), below));
        }
        let worst = self.proved.objective_value.worst;
        let worst = worst.map_or_else(|| message!("none"), |worst| self.points(worst.into()));
        lines.push((message!("worst pair"), worst));
        lines.push((message!("blocking pairs"), number_of(*blocking_pairs)));
        if let Some(price) = solution.price_of_fairness() {
            let points = self.instance.decimals.value(price);
            let told = message!("{points|1 point|{points} points} of the total", points = points);
            lines.push((message!("price of fairness"), told));
        }
        if let Some(size) = solution.stable_size {
            lines.push((message!("size"), size_of(size)));
        }
        let proof = match (&solution.evidence, check.proved) {
            (_, false) => message!("NOT proved, gap {gap}", gap = check.gap),
            (Evidence::Stable, true) => message!("proved: no candidate is a blocking pair"),
            (_, true) => {
                message!("proved over all {candidates} candidates, gap 0", candidates = check.candidates)
            }
        };
        lines.push((message!("proof"), proof));
        let [read, solve, prove] = [self.read, *solve, *prove].map(in_seconds);
        let times = message!(
            "read {read} s, solve {solve} s, prove {prove} s, on {threads|1 thread|{threads} threads}",
            read = read,
            solve = solve,
            prove = prove,
            threads = self.threads
        );
        lines.push((message!("time"), times));
        let counters = &solution.counters;
        let work = message!(
            "{bids} bids, {searches} searches, {phases} phases, {scans} scans, {arcs} arcs, {passes} pricing passes",
            bids = counters.bids,
            searches = counters.searches + counters.reverse_searches,
            phases = counters.phases,
            scans = counters.scans,
            arcs = counters.arcs,
            passes = counters.pricing_rounds
        );
        lines.push((message!("work"), work));
        let (mentees, mentors) = self.unmatched();
        if !mentees.is_empty() {
            lines.push((message!("without a mentor"), some(&mentees)));
        }
        if !mentors.is_empty() {
            lines.push((message!("without a mentee"), some(&mentors)));
        }
        data(&labels(lines, lang).to_string())?;
        self.print_frontier(lang)
    }

    /// The numbers of the problem, of its constraints and of the people matched.
    fn figures(&self) -> Vec<(Message, Message)> {
        let Proved { objective_value, check, .. } = self.proved;
        let problem = message!(
            "{mentees|1 mentee|{mentees} mentees}, {mentors|1 mentor|{mentors} mentors}, {candidates|1 candidate|{candidates} candidates}",
            mentees = self.instance.mentees.len(),
            mentors = self.instance.mentors.len(),
            candidates = check.candidates
        );
        let mut lines = vec![
            (message!("objective"), Message::verbatim(self.aim.name())),
            (message!("problem"), problem),
            (message!("total score"), self.points(objective_value.score)),
            (message!("pairs"), number_of(objective_value.pairs)),
        ];
        let Constraints { decisions, quotas } = &self.instance.constraints;
        if !self.instance.constraints.is_empty() {
            let told = message!(
                "{pins|1 pin|{pins} pins}, {vetoes|1 veto|{vetoes} vetoes}, {groups|1 group|{groups} groups}",
                pins = decisions.pins.len(),
                vetoes = decisions.vetoes.len(),
                groups = quotas.len()
            );
            lines.push((message!("constraints"), told));
        }
        for (tier, served) in &objective_value.people.tiers {
            let all = self.instance.mentees.iter().filter(|demand| demand.tier == *tier).count();
            let told =
                message!("{served} of {all} in tier {tier}", served = *served, all = all, tier = *tier);
            lines.push((message!("mentees with a mentor"), told));
        }
        lines.push((message!("second mentors"), number_of(objective_value.people.second_mentors)));
        lines.push((message!("minimum places filled"), number_of(objective_value.people.minimum_places)));
        lines
    }

    fn points(&self, units: i64) -> Message {
        number_of(self.instance.decimals.value(units))
    }

    /// The total score for each value of the worst pair, if there is more than one.
    fn print_frontier(&self, lang: Lang) -> Result<(), Failure> {
        let frontier = &self.proved.solution.frontier;
        let Some(first) = frontier.first().filter(|_| frontier.len() > 1) else { return Ok(()) };
        let header = [message!("worst pair"), message!("total score"), message!("cost in score")];
        let mut steps = titled(&header, lang);
        for step in frontier {
            let row = [step.worst.into(), step.total, first.total - step.total];
            steps.add_row(row.map(|units| wording::message(&self.points(units), lang)));
        }
        align_right(&mut steps, &[0, 1, 2]);
        data("")?;
        show(&message!("Total score for each value of the worst pair:"), lang)?;
        Ok(data(&steps.to_string())?)
    }
}

fn number_of(number: impl Into<MessageValue>) -> Message {
    message!("{number}", number = number.into())
}

/// A duration in seconds with three decimals.
fn in_seconds(time: Duration) -> MessageValue {
    let millis = time.as_micros().saturating_add(500) / 1_000;
    MessageValue::Decimal { units: i128::try_from(millis).unwrap_or(i128::MAX), places: 3 }
}

/// What is known of the size of a stable assignment.
fn size_of(StableSize { at_most: Size { mentees, pairs }, guarantee }: StableSize) -> Message {
    match guarantee {
        SizeGuarantee::Largest => message!("no stable assignment matches more people"),
        SizeGuarantee::TwoThirds => message!(
            "at least two thirds of the most pairs; no stable assignment has more than {mentees} matched mentees and {pairs} pairs",
            mentees = mentees,
            pairs = pairs
        ),
        SizeGuarantee::Half => message!(
            "at least half of the most pairs; no stable assignment has more than {mentees} matched mentees and {pairs} pairs",
            mentees = mentees,
            pairs = pairs
        ),
    }
}
