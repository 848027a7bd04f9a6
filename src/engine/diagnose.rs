//! Diagnosis before a run: mentees who cannot all be served, and the mentors who would help most.
//!
//! **Over-subscribed groups.** If not every mentee can have a mentor, some set of mentees has fewer seats among all its
//! candidates than members: the set violates Hall's condition (Hall 1935; with seats, Mendelsohn and Dulmage 1958).
//! Alternating paths from an unmatched mentee find such a set: the candidates of the mentee, the mentees whom they
//! serve, the candidates of those, and so on. Mentees of the set occupy all these seats, so every assignment leaves a
//! member of the set unmatched. Sets with a common member are united. Time: one solve and one read of each candidate.
//!
//! **Recruitment.** One more seat like that of a mentor gains at most the price of the mentor. The mentors of the
//! highest prices are therefore tried, each exactly, by a warm start.

pub(super) mod round;
#[cfg(test)]
mod tests;

use super::assign::{Assignment, Start, assign, assign_from};
use super::objective_value::ObjectiveValue;
use super::observer::{Observer, Stopped};
use super::pair_scores::{FORBIDDEN, ThresholdedScores};
use super::problem::{Demand, Problem, Seats};

/// Mentors that are tried for each step of a recruitment plan.
const CANDIDATES_TRIED: usize = 16;
/// Mentors whose scores are read at a time.
const COLUMNS: usize = 4096;

/// Mentees who cannot all have a mentor: all their candidates together have fewer seats than there are mentees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The mentees, ascending.
    pub mentees: Vec<u32>,
    /// All candidates of these mentees with seats, ascending.
    pub mentors: Vec<u32>,
    /// Number of seats of these mentors.
    pub seats: u64,
}

impl Shortage {
    /// Number of these mentees who must stay unmatched.
    pub fn missing(&self) -> u64 {
        (self.mentees.len() as u64).saturating_sub(self.seats)
    }
}

/// One step of a recruitment plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recruit {
    /// The mentor whom the recruit should resemble.
    pub like: u32,
    /// Value of the best assignment with this recruit and those of all earlier steps.
    pub objective_value: ObjectiveValue,
}

/// Whether a mentee wants a mentor and has no pin.
fn lacks_first_mentor(demand: Demand) -> bool {
    demand.wanted > 0 && demand.pinned == 0
}

/// Mentees who want a mentor and have no candidate with a seat.
pub fn without_candidates(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Vec<u32>, Stopped> {
    let mut rows = CandidateRows::default();
    let mut without = Vec::new();
    for (mentee, _) in (0_u32..).zip(problem.mentees).filter(|(_, demand)| lacks_first_mentor(**demand)) {
        observer.check()?;
        let mut candidates = 0_u32;
        rows.each(problem, mentee, |_| candidates += 1);
        if candidates == 0 {
            without.push(mentee);
        }
    }
    Ok(without)
}

/// All over-subscribed groups, the largest shortage first. Mentees without candidates are left out.
pub fn shortages(problem: &Problem<'_>, observer: &dyn Observer) -> Result<Vec<Shortage>, Stopped> {
    // The problem of counts alone: one mentor for each mentee, and equal scores.
    let mentees: Vec<Demand> = problem
        .mentees
        .iter()
        .map(|demand| Demand { tier: 0, wanted: u8::from(lacks_first_mentor(*demand)), pinned: 0 })
        .collect();
    let mentors: Vec<Seats> = problem.mentors.iter().map(|seats| Seats { min: 0, max: seats.max }).collect();
    let level = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let counting = Problem { mentees: &mentees, mentors: &mentors, scores: &level, coverage_first: true };
    let Assignment { pairs, .. } = assign(&counting, observer)?;

    let mut mentor_of = vec![None; mentees.len()];
    let mut served: Vec<Vec<u32>> = vec![Vec::new(); mentors.len()];
    for &(mentee, mentor) in &pairs {
        mentor_of[mentee as usize] = Some(mentor);
        served[mentor as usize].push(mentee);
    }
    let mut set_of_mentee: Vec<Option<usize>> = vec![None; mentees.len()];
    let mut set_of_mentor: Vec<Option<usize>> = vec![None; mentors.len()];
    // Union-find: sets with a common member are united; each set holds the set that contains it.
    let mut parent: Vec<usize> = Vec::new();
    let mut rows = CandidateRows::default();
    for (unmatched, demand) in (0_u32..).zip(&mentees) {
        if demand.wanted == 0 || mentor_of[unmatched as usize].is_some() {
            continue;
        }
        let set = parent.len();
        parent.push(set);
        let mut reached = vec![unmatched];
        set_of_mentee[unmatched as usize] = Some(set);
        while let Some(mentee) = reached.pop() {
            observer.check()?;
            rows.each(&counting, mentee, |mentor| {
                if let Some(other) = set_of_mentor[mentor as usize].replace(set) {
                    let (one, other) = (representative(&parent, set), representative(&parent, other));
                    parent[one.max(other)] = one.min(other);
                    return;
                }
                for &mentee in &served[mentor as usize] {
                    set_of_mentee[mentee as usize] = Some(set);
                    reached.push(mentee);
                }
            });
        }
    }
    let mut sets: Vec<Shortage> =
        vec![Shortage { mentees: Vec::new(), mentors: Vec::new(), seats: 0 }; parent.len()];
    for (mentor, set) in (0_u32..).zip(&set_of_mentor) {
        if let Some(set) = set.map(|set| &mut sets[representative(&parent, set)]) {
            set.mentors.push(mentor);
            set.seats += u64::from(mentors[mentor as usize].max);
        }
    }
    for (mentee, set) in (0_u32..).zip(&set_of_mentee) {
        if let Some(set) = set.map(|set| &mut sets[representative(&parent, set)]) {
            set.mentees.push(mentee);
        }
    }
    sets.retain(|set| !set.mentors.is_empty());
    sets.sort_by(|a, b| b.missing().cmp(&a.missing()).then_with(|| a.mentees.cmp(&b.mentees)));
    Ok(sets)
}

fn representative(parent: &[usize], mut set: usize) -> usize {
    while parent[set] != set {
        set = parent[set];
    }
    set
}

/// Computes a recruitment plan: at most `most` recruits of one seat each, the greatest gain first, and none without a gain.
/// Every step includes the steps before it.
pub fn recruitment(
    problem: &Problem<'_>,
    solved: &Assignment,
    most: usize,
    observer: &dyn Observer,
) -> Result<Vec<Recruit>, Stopped> {
    // The seat of a recruit is not a minimum place.
    let clipped = |seats: &Seats| Seats { min: seats.min.min(seats.max), ..*seats };
    let mut mentors: Vec<Seats> = problem.mentors.iter().map(clipped).collect();
    let mut now = (ObjectiveValue::of(problem, &solved.pairs), solved.clone());
    let mut plan = Vec::new();
    while plan.len() < most {
        let prices = &now.1.certificate.mentor_prices;
        let mut by_price: Vec<usize> =
            (0..mentors.len()).filter(|&mentor| prices[mentor] > 0 && mentors[mentor].max > 0).collect();
        by_price.sort_by_key(|&mentor| (std::cmp::Reverse(prices[mentor]), mentor));
        let start = Start::of(&now.1);
        let mut best: Option<(usize, ObjectiveValue, Assignment)> = None;
        for mentor in by_price.into_iter().take(CANDIDATES_TRIED) {
            mentors[mentor].max += 1;
            let more = Problem { mentors: &mentors, ..*problem };
            let found = assign_from(&more, &start, observer)?;
            let objective_value = ObjectiveValue::of(&more, &found.pairs);
            mentors[mentor].max -= 1;
            if objective_value.is_better(best.as_ref().map_or(&now.0, |best| &best.1), problem) {
                best = Some((mentor, objective_value, found));
            }
        }
        let Some((mentor, objective_value, found)) = best else { break };
        mentors[mentor].max += 1;
        plan.push(Recruit {
            like: u32::try_from(mentor).unwrap_or(u32::MAX),
            objective_value: objective_value.clone(),
        });
        now = (objective_value, found);
    }
    Ok(plan)
}

/// Reads the candidates of a mentee.
#[derive(Debug, Default)]
struct CandidateRows(Vec<i32>);

impl CandidateRows {
    /// Passes every candidate of a mentee with seats to `show`.
    fn each(&mut self, problem: &Problem<'_>, mentee: u32, mut show: impl FnMut(u32)) {
        let at = mentee as usize;
        let mut show = |mentor: u32| {
            if problem.mentors[mentor as usize].max > 0 {
                show(mentor);
            }
        };
        if let Some(sparse) = problem.scores.sparse() {
            return sparse.row(at).iter().for_each(|edge| show(edge.to));
        }
        for first in (0..problem.mentors.len()).step_by(COLUMNS) {
            let columns = first..problem.mentors.len().min(first + COLUMNS);
            self.0.resize(columns.len(), FORBIDDEN);
            problem.scores.tile(at..at + 1, columns.clone(), &mut self.0);
            let found = columns.zip(&self.0).filter(|(_, score)| **score != FORBIDDEN);
            found.for_each(|(mentor, _)| show(u32::try_from(mentor).unwrap_or(u32::MAX)));
        }
    }
}
