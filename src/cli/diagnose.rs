//! `wim-match diagnose`: mentees who cannot be matched, and mentors who would help, before the problem is solved.

use clap::Args;
use serde_json::json;

use super::cost;
use super::failure::Failure;
use super::global::Global;
use super::problem::{self, Aim, Source, some};
use super::solve::{concerned, minimums, minimums_in_json, too_many_tiers};
use crate::client::output::{align_right, data, say, show, titled};
use crate::domain::explanation::Reason;
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;
use crate::domain::warning::Warning;
use crate::engine::constrained::{Diagnosis, DiagnosisError, Plan};
use crate::engine::what_if::Cost;
use crate::instance::Instance;
use crate::{message, wording};

/// Most shortages listed.
const SETS: usize = 10;

#[derive(Debug, Args)]
#[command(
    override_usage = "wim-match diagnose [OPTIONS] <--instance FILE | --mentees FILE --mentors FILE --scores FILE>"
)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// Propose at most N further mentors, each like a mentor of the problem and with one place.
    #[arg(long, value_name = "N", default_value_t = 0)]
    recruit: u16,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<(), Failure> {
    let (instance, aim) = options.source.read(global.lang)?;
    let constrained = match options.recruit {
        0 => problem::constrained(&instance, aim)?,
        _ => problem::constrained_alone("--recruit", &instance, aim)?,
    };
    let most = usize::from(options.recruit);
    let found = options.source.work(global.lang, |observer| constrained.diagnose(most, observer));
    let (found, _) = found.map_err(|error| match error {
        DiagnosisError::TooManyTiers => too_many_tiers(),
        DiagnosisError::Stopped(stopped) => problem::stopped(stopped),
    })?;
    let floors = found.unmet.iter().flat_map(|unmet| instance.reasons(&constrained, unmet)).collect();
    let similar = instance.names.similar();
    for warning in &similar {
        let Warning { field, value, .. } = warning;
        let labelled = |label: &str, text: &str| wording::labelled(label, text, global.lang);
        let what = format!("`{value}` {}", wording::warning(warning, global.lang));
        say(&labelled(field, &labelled(wording::text("cli.warning", global.lang), &what)));
    }
    let report = Report { similar, instance: &instance, aim, found: &found, floors };
    if global.json { report.json() } else { report.print(global.lang) }
}

/// The diagnosis with what its output needs.
struct Report<'a> {
    instance: &'a Instance,
    aim: Aim,
    found: &'a Diagnosis,
    /// Why the floors of groups cannot be met.
    floors: Vec<Reason>,
    /// Warnings about names that look like another one.
    similar: Vec<Warning>,
}

impl Report<'_> {
    fn mentees(&self, positions: &[u32]) -> Vec<String> {
        problem::named(positions, |at| self.instance.names.mentee(at))
    }

    fn mentors(&self, positions: &[u32]) -> Vec<String> {
        problem::named(positions, |at| self.instance.names.mentor(at))
    }

    /// Each proposed mentor with her effect, given the mentors before her, as a cost.
    fn steps(&self, plan: &Plan) -> Vec<(String, Cost)> {
        plan.costs().map(|(like, cost)| (self.instance.names.mentor(like as usize), cost)).collect()
    }

    fn json(&self) -> Result<(), Failure> {
        let Diagnosis { without_candidates, shortages, below_minimum, plan, .. } = self.found;
        let shortages = shortages.iter().map(|set| {
            json!({
                "missing": set.missing(), "places": set.seats,
                "mentees": self.mentees(&set.mentees), "mentors": self.mentors(&set.mentors),
            })
        });
        let floors = self.floors.iter();
        let floors =
            floors.map(|reason| json!({ "code": reason.code.as_str(), "parameters": reason.parameters }));
        let plan = plan.as_ref().map(|plan| {
            let steps = self.steps(plan).into_iter();
            let steps = steps.map(|(like, brings)| json!({ "like": like, "cost": cost::in_json(&brings) }));
            steps.collect::<Vec<_>>()
        });
        let warnings = self.similar.iter().map(|warning| {
            json!({ "id": warning.value, "other": warning.other, "warning": warning.code.as_str() })
        });
        let told = json!({
            "objective": self.aim.name(),
            "mentees": self.instance.mentees.len(),
            "mentors": self.instance.mentors.len(),
            "without_candidates": self.mentees(without_candidates),
            "shortages": shortages.collect::<Vec<_>>(),
            "floors_unmet": floors.collect::<Vec<_>>(),
            "below_minimum": minimums_in_json(self.instance, below_minimum),
            "recruitment": plan,
            "warnings": warnings.collect::<Vec<_>>(),
        });
        Ok(data(&told.to_string())?)
    }

    fn print(&self, lang: Lang) -> Result<(), Failure> {
        let Diagnosis { without_candidates, below_minimum, plan, .. } = self.found;
        let indented = |message: &Message| data(&format!("  {}", wording::message(message, lang)));
        if without_candidates.is_empty() {
            show(&message!("every mentee has a possible mentor with a place"), lang)?;
        } else {
            let count = without_candidates.len();
            let told = message!("mentees without a possible mentor with a place: {count}", count = count);
            show(&told, lang)?;
            indented(&some(&self.mentees(without_candidates)))?;
        }
        self.print_shortages(lang)?;
        if !self.floors.is_empty() {
            data("")?;
            show(&message!("The floors of groups cannot be met:"), lang)?;
            for reason in &self.floors {
                data(&format!("  {}", wording::sentence(reason, lang)))?;
            }
            for line in self.found.unmet.iter().flat_map(|unmet| concerned(self.instance, unmet)) {
                indented(&line)?;
            }
        }
        if !below_minimum.is_empty() {
            let below = some(&minimums(self.instance, below_minimum, lang));
            data("")?;
            let told =
                message!("Mentors below their minimum in the best assignment: {mentors}", mentors = below);
            show(&told, lang)?;
        }
        if let Some(plan) = plan {
            self.print_plan(plan, lang)?;
        }
        Ok(())
    }

    fn print_shortages(&self, lang: Lang) -> Result<(), Failure> {
        let shortages = &self.found.shortages;
        if shortages.is_empty() {
            let told = message!("no set of mentees has too few places among its possible mentors");
            return Ok(show(&told, lang)?);
        }
        let header = [
            message!("missing places"),
            message!("mentees"),
            message!("places"),
            message!("names of the mentees"),
            message!("their possible mentors"),
        ];
        let mut rows = titled(&header, lang);
        let count = |number: u64| wording::count(number, lang);
        for set in shortages.iter().take(SETS) {
            rows.add_row([
                count(set.missing()),
                count(set.mentees.len() as u64),
                count(set.seats),
                wording::message(&some(&self.mentees(&set.mentees)), lang),
                wording::message(&some(&self.mentors(&set.mentors)), lang),
            ]);
        }
        align_right(&mut rows, &[0, 1, 2]);
        data("")?;
        show(&message!("Sets of mentees with too few places among all their possible mentors:"), lang)?;
        data(&rows.to_string())?;
        match shortages.len().saturating_sub(SETS) {
            0 => Ok(()),
            more => Ok(show(&message!("and {more|1 more set|{more} more sets}", more = more), lang)?),
        }
    }

    fn print_plan(&self, plan: &Plan, lang: Lang) -> Result<(), Failure> {
        let steps = self.steps(plan);
        data("")?;
        if steps.is_empty() {
            return Ok(show(&message!("no further mentor would help"), lang)?);
        }
        let mut rows = titled(&[message!("a mentor like"), message!("change of the result")], lang);
        for (like, brings) in &steps {
            rows.add_row([like.clone(), cost::in_words(brings, self.instance.decimals, lang)]);
        }
        let heading = message!("Mentors to recruit, each with one place; each change follows those above:");
        show(&heading, lang)?;
        Ok(data(&rows.to_string())?)
    }
}
