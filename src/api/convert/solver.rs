//! Problems that callers bring, their results and proofs.

use std::collections::HashMap;

use super::{count, number};
use crate::api::proto::v1;
use crate::api::proto::v1::assignment_proof::Proof;
use crate::domain::policy::Objective;
use crate::engine::certify::{Certificate, TierWeight};
use crate::engine::fairest::Fairness;
use crate::engine::objective::Evidence;
use crate::engine::problem::{Demand, Seats};
use crate::instance::builder::{Builder, Place};
use crate::instance::{Instance, Violations};
use crate::service::Solved;

/// Pairs, names or prices in one part of an answer.
const PART: usize = 10_000;

/// What an assignment is to be best at.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// The objective.
    pub objective: Objective,
    /// Whether as many people as possible come first.
    pub coverage_first: bool,
}

/// Reads an aim.
pub fn aim(message: Option<v1::AssignmentAim>) -> Result<Aim, Violations> {
    let message = message.unwrap_or_default();
    let mut wrong = Violations::default();
    let objective = Objective::of(message.objective).unwrap_or_else(|| {
        wrong.add("aim.objective", format!("{} is not an objective of this service", message.objective));
        Objective::BestTotal
    });
    if message.total_only && objective != Objective::BestTotal {
        wrong.add("aim.total_only", "goes with OBJECTIVE_BEST_TOTAL only");
    }
    wrong.none().map(|()| Aim { objective, coverage_first: !message.total_only })
}

/// Takes in a problem, or a part of one.
pub fn take_in(problem: &mut Builder, part: v1::AssignmentProblem) {
    let [mentees, mentors, candidates] = problem.received();
    let mut wrong = Violations::default();
    for (mentee, at) in part.mentees.into_iter().zip(mentees..) {
        let demand = Demand {
            tier: within(mentee.tier, || mentee_at(at) + ".tier", 255, &mut wrong),
            wanted: within(
                mentee.mentors_wanted.unwrap_or(1),
                || mentee_at(at) + ".mentors_wanted",
                2,
                &mut wrong,
            ),
            pinned: 0,
        };
        problem.mentee(&mentee.id, demand, at, mentee_at);
    }
    for (mentor, at) in part.mentors.into_iter().zip(mentors..) {
        let min = within(mentor.min_mentees, || mentor_at(at) + ".min_mentees", i32::MAX, &mut wrong);
        let max = mentor.max_mentees.unwrap_or(1);
        let max = within(max, || mentor_at(at) + ".max_mentees", i32::MAX, &mut wrong);
        problem.mentor(&mentor.id, Seats { min, max }, at, mentor_at);
    }
    for (pair, at) in part.candidates.into_iter().zip(candidates..) {
        problem.candidate(&pair.mentee, &pair.mentor, pair.score, at, candidate_at);
    }
    problem.refuse(wrong);
}

/// The whole problem.
pub fn finish(problem: Builder, coverage_first: bool) -> Result<Instance, Violations> {
    problem.finish(coverage_first, candidate_at)
}

fn mentee_at(at: Place) -> String {
    format!("problem.mentees[{at}]")
}

fn mentor_at(at: Place) -> String {
    format!("problem.mentors[{at}]")
}

fn candidate_at(at: Place) -> String {
    format!("problem.candidates[{at}]")
}

fn within<T: TryFrom<i32> + Default>(
    value: i32,
    field: impl FnOnce() -> String,
    most: i32,
    wrong: &mut Violations,
) -> T {
    let fits = (0..=most).contains(&value).then(|| T::try_from(value).ok()).flatten();
    fits.unwrap_or_else(|| {
        wrong.add(field(), format!("is {value}; give 0 to {most}"));
        T::default()
    })
}

/// A result, whole.
pub fn result(solved: &Solved) -> v1::AssignmentResult {
    let mut whole = v1::AssignmentResult { proof: Some(proof(solved)), ..unmatched(solved) };
    whole.pairs = pairs(solved).collect();
    whole.summary = Some(summary(solved));
    whole
}

/// A result in parts that each fit a message; the summary comes with the last.
pub fn parts(solved: &Solved) -> Vec<v1::AssignmentResult> {
    let part = v1::AssignmentResult::default;
    let mut parts = Vec::new();
    let mut pairs = pairs(solved).peekable();
    while pairs.peek().is_some() {
        parts.push(v1::AssignmentResult { pairs: pairs.by_ref().take(PART).collect(), ..part() });
    }
    let v1::AssignmentResult { unmatched_mentees, unmatched_mentors, .. } = unmatched(solved);
    for some in unmatched_mentees.chunks(PART) {
        parts.push(v1::AssignmentResult { unmatched_mentees: some.to_vec(), ..part() });
    }
    for some in unmatched_mentors.chunks(PART) {
        parts.push(v1::AssignmentResult { unmatched_mentors: some.to_vec(), ..part() });
    }
    let in_parts = |certificate: v1::PriceCertificate, wrap: &dyn Fn(v1::PriceCertificate) -> Proof| {
        let v1::PriceCertificate { tiers, minimum, second, mentee_prices, mentor_prices } = certificate;
        let mut found = vec![v1::PriceCertificate { tiers, minimum, second, ..Default::default() }];
        for some in mentee_prices.chunks(PART) {
            found.push(v1::PriceCertificate { mentee_prices: some.to_vec(), ..Default::default() });
        }
        for some in mentor_prices.chunks(PART) {
            found.push(v1::PriceCertificate { mentor_prices: some.to_vec(), ..Default::default() });
        }
        let proofs = found.into_iter().map(|part| v1::AssignmentProof { proof: Some(wrap(part)) });
        proofs.collect::<Vec<_>>()
    };
    let proofs = match proof(solved).proof {
        None => Vec::new(),
        Some(Proof::BestTotal(certificate)) => in_parts(certificate, &Proof::BestTotal),
        Some(Proof::Fairest(v1::FairnessCertificate { floor, total, coverage, above })) => {
            let of =
                |certificate: Option<v1::PriceCertificate>,
                 wrap: fn(Option<v1::PriceCertificate>, i32) -> v1::FairnessCertificate| {
                    let certificate = certificate.unwrap_or_default();
                    in_parts(certificate, &|part| Proof::Fairest(wrap(Some(part), floor)))
                };
            let mut all =
                of(total, |total, floor| v1::FairnessCertificate { floor, total, ..Default::default() });
            all.extend(of(coverage, |coverage, floor| v1::FairnessCertificate {
                floor,
                coverage,
                ..Default::default()
            }));
            all.extend(of(above, |above, floor| v1::FairnessCertificate {
                floor,
                above,
                ..Default::default()
            }));
            all
        }
    };
    parts.extend(proofs.into_iter().map(|proof| v1::AssignmentResult { proof: Some(proof), ..part() }));
    parts.push(v1::AssignmentResult { summary: Some(summary(solved)), ..part() });
    parts
}

fn pairs(solved: &Solved) -> impl Iterator<Item = v1::AssignmentPair> {
    let problem = solved.instance.problem();
    solved.solution.pairs.iter().map(move |&(mentee, mentor)| v1::AssignmentPair {
        mentee: solved.instance.names.mentee(mentee as usize),
        mentor: solved.instance.names.mentor(mentor as usize),
        score: problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default(),
    })
}

fn unmatched(solved: &Solved) -> v1::AssignmentResult {
    let Solved { instance, solution, .. } = solved;
    let mut mentees = vec![false; instance.mentees.len()];
    let mut mentors = vec![false; instance.mentors.len()];
    for &(mentee, mentor) in &solution.pairs {
        mentees[mentee as usize] = true;
        mentors[mentor as usize] = true;
    }
    let without = |matched: Vec<bool>, name: &dyn Fn(usize) -> String| {
        matched.into_iter().enumerate().filter(|(_, matched)| !matched).map(|(at, _)| name(at)).collect()
    };
    v1::AssignmentResult {
        unmatched_mentees: without(mentees, &|at| instance.names.mentee(at)),
        unmatched_mentors: without(mentors, &|at| instance.names.mentor(at)),
        ..Default::default()
    }
}

fn summary(solved: &Solved) -> v1::AssignmentSummary {
    let Solved { instance, solution, check, totals, .. } = solved;
    let counters = &solution.counters;
    let tiers = totals.people.tiers.iter().map(|&(tier, matched)| v1::AssignmentTier {
        tier: tier.into(),
        mentees: count(instance.mentees.iter().filter(|demand| demand.tier == tier).count() as u64),
        matched: count(matched),
    });
    let steps = solution
        .frontier
        .iter()
        .map(|step| v1::FairnessStep { worst_score: step.worst, total_score: step.total });
    let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    v1::AssignmentSummary {
        total_score: totals.score,
        pairs: count(totals.pairs),
        tiers: tiers.collect(),
        minimum_places: count(totals.people.minimum_places),
        second_mentors: count(totals.people.second_mentors),
        worst_score: totals.worst,
        blocking_pairs: count(solved.blocking_pairs),
        candidates: count(check.candidates),
        proved: check.proved,
        gap: check.gap.to_string(),
        fairness_steps: steps.collect(),
        counters: Some(v1::AssignmentCounters {
            bids: count(counters.bids),
            searches: count(counters.searches + counters.reverse_searches),
            phases: count(counters.phases),
            scans: count(counters.scans),
            arcs: count(counters.arcs),
            pricing_rounds: count(counters.pricing_rounds),
        }),
        solve_micros: micros(solved.solve),
        prove_micros: micros(solved.prove),
    }
}

fn proof(solved: &Solved) -> v1::AssignmentProof {
    let names = &solved.instance.names;
    let prices = |prices: &[i128], name: &dyn Fn(usize) -> String| {
        let each = prices.iter().enumerate();
        each.map(|(at, price)| v1::PersonPrice { id: name(at), price: price.to_string() }).collect()
    };
    let certificate = |certificate: &Certificate| v1::PriceCertificate {
        tiers: certificate
            .tiers
            .iter()
            .map(|entry| v1::TierWeight { tier: entry.tier.into(), weight: entry.weight.to_string() })
            .collect(),
        minimum: certificate.minimum.to_string(),
        second: certificate.second.to_string(),
        mentee_prices: prices(&certificate.mentee_prices, &|at| names.mentee(at)),
        mentor_prices: prices(&certificate.mentor_prices, &|at| names.mentor(at)),
    };
    let proof = match &solved.solution.evidence {
        Evidence::BestTotal(found) => Some(Proof::BestTotal(certificate(found))),
        Evidence::Fairest(fairness) => Some(Proof::Fairest(v1::FairnessCertificate {
            floor: fairness.floor,
            total: Some(certificate(&fairness.total)),
            coverage: Some(certificate(&fairness.coverage)),
            above: Some(certificate(&fairness.above)),
        })),
        Evidence::Stable => None,
    };
    v1::AssignmentProof { proof }
}

/// Reads pairs and their proof back, by the names of an instance.
pub struct Reader {
    mentees: HashMap<String, u32>,
    mentors: HashMap<String, u32>,
    wrong: Violations,
}

impl Reader {
    /// Reads for an instance.
    pub fn new(instance: &Instance) -> Self {
        let positions =
            |count: usize, name: &dyn Fn(usize) -> String| (0..count).map(name).zip(0..).collect();
        Self {
            mentees: positions(instance.mentees.len(), &|at| instance.names.mentee(at)),
            mentors: positions(instance.mentors.len(), &|at| instance.names.mentor(at)),
            wrong: Violations::default(),
        }
    }

    /// The pairs by position.
    pub fn pairs(&mut self, messages: &[v1::AssignmentPair]) -> Vec<(u32, u32)> {
        let mut pairs = Vec::with_capacity(messages.len());
        for (at, pair) in messages.iter().enumerate() {
            match (self.mentees.get(&pair.mentee), self.mentors.get(&pair.mentor)) {
                (Some(mentee), Some(mentor)) => pairs.push((*mentee, *mentor)),
                _ => self.wrong.add(format!("pairs[{at}]"), "names somebody who is not in the problem"),
            }
        }
        pairs
    }

    /// The proof, for an objective.
    pub fn evidence(
        mut self,
        message: Option<v1::AssignmentProof>,
        objective: Objective,
    ) -> Result<Evidence, Violations> {
        let proof = message.and_then(|message| message.proof);
        let evidence = match (objective, proof) {
            (Objective::Stable, None) => Some(Evidence::Stable),
            (Objective::BestTotal, Some(Proof::BestTotal(message))) => {
                Some(Evidence::BestTotal(self.certificate("proof.best_total", &message)))
            }
            (Objective::Fairest, Some(Proof::Fairest(message))) => {
                let mut read = |message: Option<v1::PriceCertificate>, field: &str| {
                    self.certificate(&format!("proof.fairest.{field}"), &message.unwrap_or_default())
                };
                Some(Evidence::Fairest(Box::new(Fairness {
                    floor: message.floor,
                    total: read(message.total, "total"),
                    coverage: read(message.coverage, "coverage"),
                    above: read(message.above, "above"),
                })))
            }
            _ => {
                let what = match objective {
                    Objective::BestTotal => "must be of the kind `best_total`",
                    Objective::Fairest => "must be of the kind `fairest`",
                    Objective::Stable => "must be empty: stability is seen from the scores",
                };
                self.wrong.add("proof", what);
                None
            }
        };
        self.wrong.none()?;
        evidence.ok_or_else(Violations::default)
    }

    fn certificate(&mut self, field: &str, message: &v1::PriceCertificate) -> Certificate {
        let mut tiers = Vec::with_capacity(message.tiers.len());
        for (at, entry) in message.tiers.iter().enumerate() {
            let field = format!("{field}.tiers[{at}]");
            let tier = within(entry.tier, || format!("{field}.tier"), 255, &mut self.wrong);
            tiers.push(TierWeight { tier, weight: self.wide(&format!("{field}.weight"), &entry.weight) });
        }
        Certificate {
            tiers,
            minimum: self.wide(&format!("{field}.minimum"), &message.minimum),
            second: self.wide(&format!("{field}.second"), &message.second),
            mentee_prices: self.prices(&format!("{field}.mentee_prices"), &message.mentee_prices, true),
            mentor_prices: self.prices(&format!("{field}.mentor_prices"), &message.mentor_prices, false),
            ..Certificate::default()
        }
    }

    fn prices(&mut self, field: &str, messages: &[v1::PersonPrice], of_mentees: bool) -> Vec<i128> {
        let people = if of_mentees { self.mentees.len() } else { self.mentors.len() };
        let mut prices = vec![None; people];
        for (at, message) in messages.iter().enumerate() {
            let positions = if of_mentees { &self.mentees } else { &self.mentors };
            let found = positions.get(&message.id).map(|at| *at as usize);
            let price = self.wide(&format!("{field}[{at}].price"), &message.price);
            match found.map(|at| prices[at].replace(price)) {
                Some(None) => {}
                Some(Some(_)) => self.wrong.add(format!("{field}[{at}].id"), "has a price already"),
                None => self.wrong.add(format!("{field}[{at}].id"), "is not in the problem"),
            }
        }
        let missing = prices.iter().filter(|price| price.is_none()).count();
        if missing > 0 {
            self.wrong.add(field, format!("is missing the prices of {missing} people"));
        }
        prices.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn wide(&mut self, field: &str, text: &str) -> i128 {
        text.parse().unwrap_or_else(|_| {
            self.wrong.add(field, "is not a decimal integer of up to 128 bits");
            0
        })
    }
}

/// Candidates that a caller says she has sent.
pub fn candidates_sent(end: v1::SolveEnd) -> u64 {
    number(end.candidates)
}
