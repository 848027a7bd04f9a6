//! `wim-match diagnose`: who cannot be served, and what would help, before anything is solved for good.

use clap::Args;
use serde_json::json;

use super::output::{align_right, data, table};
use super::problem::{self, Aim, Source, some};
use super::{Failure, Global, cost};
use crate::domain::explanation::Reason;
use crate::domain::vocabulary::Lang;
use crate::engine::assign::assign;
use crate::engine::constrained::{Constrained, Unsolved};
use crate::engine::diagnose::{Recruit, Shortage, recruitment, shortages, without_candidates};
use crate::engine::problem::{Observer, Stopped};
use crate::engine::totals::Totals;
use crate::instance::Instance;
use crate::wording;

/// Groups of people who want too few seats that are listed at most.
const SETS: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: Source,
    /// Say which mentors to find others like, one place each, at most so many.
    #[arg(long, value_name = "N", default_value_t = 0)]
    recruit: u16,
}

pub(super) async fn run(options: Options, global: &Global) -> Result<(), Failure> {
    let (json, lang) = (global.json, global.lang);
    let diagnosing = tokio::task::spawn_blocking(move || diagnose(&options, json, lang));
    diagnosing.await.map_err(anyhow::Error::from)?
}

fn diagnose(options: &Options, json: bool, lang: Lang) -> Result<(), Failure> {
    let (instance, aim) = options.source.read()?;
    let constrained = match options.recruit {
        0 => problem::constrained(&instance, aim)?,
        _ => problem::constrained_alone("--recruit", &instance, aim)?,
    };
    let most = usize::from(options.recruit);
    let (found, _) = options.source.work(|observer| Found::new(&instance, &constrained, most, observer))?;
    let told = Told { instance: &instance, aim, found: &found };
    if json { told.json() } else { told.print(lang) }
}

/// What was found.
struct Found {
    /// Mentees without candidates.
    without: Vec<u32>,
    /// Mentees who have too few seats among all their candidates.
    shortages: Vec<Shortage>,
    /// Why the floors of groups cannot be met; empty if they can, or if there are no groups.
    floors: Vec<Reason>,
    /// What the round amounts to now, and with each recruit.
    plan: Option<(Totals, Vec<Recruit>)>,
}

impl Found {
    fn new(
        instance: &Instance,
        constrained: &Constrained<'_>,
        most: usize,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let rest = constrained.rest();
        let floors = match constrained.quotas().is_empty() {
            true => Vec::new(),
            false => match constrained.solve(None, observer)? {
                Err(Unsolved::Impossible(impossible)) => instance.reasons(constrained, &impossible),
                Ok(_) | Err(Unsolved::TooManyTiers) => Vec::new(),
            },
        };
        let plan = match most {
            0 => None,
            _ => {
                let solved = assign(&rest, observer)?;
                let now = Totals::of(&rest, &solved.pairs);
                Some((now, recruitment(&rest, &solved, most, observer)?))
            }
        };
        Ok(Self {
            without: without_candidates(&rest, observer)?,
            shortages: shortages(&rest, observer)?,
            floors,
            plan,
        })
    }
}

/// What is told.
struct Told<'a> {
    instance: &'a Instance,
    aim: Aim,
    found: &'a Found,
}

impl Told<'_> {
    fn mentees(&self, positions: &[u32]) -> Vec<String> {
        positions.iter().map(|at| self.instance.names.mentee(*at as usize)).collect()
    }

    fn mentors(&self, positions: &[u32]) -> Vec<String> {
        positions.iter().map(|at| self.instance.names.mentor(*at as usize)).collect()
    }

    /// Each recruit with what she brings beside those before her, as a cost.
    fn steps(&self) -> Vec<(String, cost::Cost)> {
        let Some((now, plan)) = &self.found.plan else { return Vec::new() };
        let before = std::iter::once(now).chain(plan.iter().map(|step| &step.totals));
        let step = |(before, step): (&Totals, &Recruit)| {
            let like = self.instance.names.mentor(step.like as usize);
            (like, cost::between(before, &step.totals))
        };
        before.zip(plan).map(step).collect()
    }

    fn json(&self) -> Result<(), Failure> {
        let Found { without, shortages, floors, plan } = self.found;
        let shortages = shortages.iter().map(|set| {
            json!({
                "missing": set.missing(), "seats": set.seats,
                "mentees": self.mentees(&set.mentees), "mentors": self.mentors(&set.mentors),
            })
        });
        let floors = floors.iter().map(|reason| {
            json!({ "code": reason.code.as_str(), "parameters": reason.parameters })
        });
        let plan = plan.as_ref().map(|_| {
            let step = |(like, brings): (String, cost::Cost)| {
                json!({ "like": like, "cost": cost::in_json(&brings) })
            };
            self.steps().into_iter().map(step).collect::<Vec<_>>()
        });
        let told = json!({
            "aim": self.aim.name(),
            "mentees": self.instance.mentees.len(),
            "mentors": self.instance.mentors.len(),
            "without_candidates": self.mentees(without),
            "shortages": shortages.collect::<Vec<_>>(),
            "floors_unmet": floors.collect::<Vec<_>>(),
            "recruitment": plan,
        });
        Ok(data(&told.to_string())?)
    }

    fn print(&self, lang: Lang) -> Result<(), Failure> {
        let Found { without, shortages, floors, plan } = self.found;
        data(&match without.len() {
            0 => "every mentee has a candidate with a place".to_owned(),
            count => {
                format!("mentees without any candidate who has a place: {count}\n  {}", some(&self.mentees(without)))
            }
        })?;
        if shortages.is_empty() {
            data("no group of mentees has too few places among its candidates")?;
        } else {
            let mut rows = table(&["too few by", "mentees", "places", "who", "their candidates"]);
            for set in shortages.iter().take(SETS) {
                rows.add_row([
                    set.missing().to_string(),
                    set.mentees.len().to_string(),
                    set.seats.to_string(),
                    some(&self.mentees(&set.mentees)),
                    some(&self.mentors(&set.mentors)),
                ]);
            }
            align_right(&mut rows, &[0, 1, 2]);
            let more = match shortages.len().saturating_sub(SETS) {
                0 => String::new(),
                more => format!("\nand {more} more groups"),
            };
            data(&format!("\nMentees who have too few places among all their candidates:\n{rows}{more}"))?;
        }
        if !floors.is_empty() {
            data("\nThe floors of groups cannot be met:")?;
            for reason in floors {
                data(&format!("  {}", wording::sentence(reason, lang)))?;
            }
        }
        if plan.is_some() {
            let mut rows = table(&["another mentor like", "brings"]);
            let steps = self.steps();
            for (like, brings) in &steps {
                rows.add_row([like.clone(), cost::in_words(brings)]);
            }
            data(&match steps.len() {
                0 => "\nno other place would help".to_owned(),
                _ => format!("\nWhom to find, one place each, every step beside those before it:\n{rows}"),
            })?;
        }
        Ok(())
    }
}
