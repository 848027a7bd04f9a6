//! Fuzz target of the solver. Any bytes are read as a problem with decisions, quotas and a change.
//!
//! For every input, each objective must be solved and proved, with dense and with sparse scores: with pins and vetoes, with
//! quotas on both sides, and warm from the result before the change. The result of a small problem must be as good as the
//! best of all assignments.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wim_match::domain::policy::Objective;
use wim_match::engine::assign::{Assignment, Start, assign, assign_from};
use wim_match::engine::pair_scores::{DenseScores, Edge, FORBIDDEN, PairScores, SparseScores};
use wim_match::engine::certify::{certify, certify_within, check_cut, broken_rule};
use wim_match::engine::decisions::{Decisions, ReducedProblem, ReductionError};
use wim_match::engine::objective::{check, solve};
use wim_match::engine::problem::{Demand, Problem, Seats};
use wim_match::engine::observer::Unobserved;
use wim_match::engine::quota::{assign_within, Answer};
use wim_match::engine::groups::{Forest, Group, Quotas};
use wim_match::engine::objective_value::{ObjectiveValue, PeopleServed};

/// Maximum number of candidates of a problem of which all assignments are enumerated.
const FEW: usize = 11;

/// Reads bytes as numbers. After the last byte, all numbers are 0.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, most: usize) -> usize {
        usize::from(self.next()) % most
    }

    fn small(&mut self, most: u8) -> u8 {
        self.next() % most
    }

    fn position(&mut self, people: usize) -> u32 {
        u32::try_from(self.below(people)).expect("few people")
    }

    fn score(&mut self, fits_16_bits: bool) -> i32 {
        match self.next() {
            0..96 => FORBIDDEN,
            96..128 => i32::from(self.next()),
            128..160 => i32::from(self.small(3)),
            _ if fits_16_bits => i32::from(u16::from_le_bytes([self.next(), self.next()]) / 2),
            160..176 => i32::MAX - i32::from(self.small(3)),
            176..192 => FORBIDDEN + 1 + i32::from(self.small(3)),
            192..224 => -i32::from(self.next()),
            _ => i32::from_le_bytes([self.next(), self.next(), self.next(), self.next()]),
        }
    }

    fn demand(&mut self) -> Demand {
        Demand { tier: self.small(3), wanted: self.small(3), ..Demand::default() }
    }

    fn seats(&mut self) -> Seats {
        let max = u32::from(self.small(4));
        Seats { min: u32::from(self.small(3)).min(max), max }
    }

    /// Some pairs, of which a few contain a position that does not exist.
    fn pairs(&mut self, problem: &Given) -> Vec<(u32, u32)> {
        let (mentees, mentors) = (problem.mentees.len() + 1, problem.mentors.len() + 1);
        (0..self.below(4)).map(|_| (self.position(mentees), self.position(mentors))).collect()
    }

    fn forest(&mut self, people: usize) -> Forest {
        let groups: Vec<Group> = (0..self.below(4))
            .map(|at| {
                let (one, other) = (u32::from(self.small(5)), u32::from(self.small(5)));
                Group {
                    parent: self.position(at + 1).checked_sub(1),
                    floor: if self.below(2) == 0 { 0 } else { one.min(other) },
                    ceiling: if self.below(2) == 0 { u32::MAX } else { one.max(other) },
                }
            })
            .collect();
        let innermost = (0..people).map(|_| self.position(groups.len() + 1).checked_sub(1)).collect();
        Forest::new(groups, innermost).expect("parents come first")
    }
}

#[derive(Clone)]
struct Given {
    mentees: Vec<Demand>,
    mentors: Vec<Seats>,
    cells: Vec<i32>,
    coverage_first: bool,
    fits_16_bits: bool,
}

impl Given {
    fn read(bytes: &mut Bytes<'_>) -> Self {
        let (wide, fits_16_bits) = (bytes.below(8) == 0, bytes.below(2) == 0);
        let (rows, columns) =
            if wide { (bytes.below(12), bytes.below(80)) } else { (bytes.below(7), bytes.below(6)) };
        Self {
            coverage_first: bytes.below(3) > 0,
            mentees: (0..rows).map(|_| bytes.demand()).collect(),
            mentors: (0..columns).map(|_| bytes.seats()).collect(),
            cells: (0..rows * columns).map(|_| bytes.score(fits_16_bits)).collect(),
            fits_16_bits,
        }
    }

    /// The same problem with a few changes.
    fn changed(&self, bytes: &mut Bytes<'_>) -> Self {
        let mut changed = self.clone();
        for _ in 0..bytes.below(6) {
            let at = usize::from(u16::from_le_bytes([bytes.next(), bytes.next()]));
            let (rows, columns, cells) = (self.mentees.len(), self.mentors.len(), self.cells.len());
            match bytes.below(4) {
                0 if rows > 0 => changed.mentees[at % rows] = bytes.demand(),
                1 if columns > 0 => changed.mentors[at % columns] = bytes.seats(),
                _ if cells > 0 => changed.cells[at % cells] = bytes.score(self.fits_16_bits),
                _ => {}
            }
        }
        changed
    }

    fn sparse_scores(&self) -> SparseScores {
        let (mut starts, mut arcs) = (vec![0], Vec::new());
        for row in 0..self.mentees.len() {
            let columns = self.mentors.len();
            let cells = (0..).zip(&self.cells[row * columns..(row + 1) * columns]);
            arcs.extend(cells.filter(|(_, score)| **score != FORBIDDEN).map(|(to, &score)| Edge { to, score }));
            starts.push(arcs.len());
        }
        SparseScores::new(starts, arcs, &Unobserved).expect("no candidate comes twice")
    }

    fn matrix(&self) -> DenseScores {
        DenseScores::new(self.mentors.len(), self.cells.clone()).expect("whole rows")
    }

    /// Calls `show` with the problem, first with dense scores and then with sparse scores.
    fn both(&self, mut show: impl FnMut(&Problem<'_>)) {
        let (matrix, listed) = (self.matrix(), self.sparse_scores());
        for scores in [&matrix as &dyn PairScores, &listed] {
            show(&Problem {
                mentees: &self.mentees,
                mentors: &self.mentors,
                scores,
                coverage_first: self.coverage_first,
            });
        }
    }
}

/// Value of an assignment for an objective, in the order of its aims.
type Rank = (Vec<u64>, u64, u64, i64, i64);

fn rank(problem: &Problem<'_>, objective: Objective, pairs: &[(u32, u32)]) -> Rank {
    let ObjectiveValue { people, score, worst, .. } = ObjectiveValue::of(problem, pairs);
    let PeopleServed { tiers, minimum_places, second_mentors } = people;
    let fairest = objective == Objective::Fairest;
    let worst = worst.filter(|_| fairest).map_or(i64::MAX, i64::from);
    if problem.coverage_first || fairest {
        let served = tiers.into_iter().map(|(_, served)| served).collect();
        (served, minimum_places, second_mentors, worst, score)
    } else {
        (Vec::new(), minimum_places, 0, worst, score)
    }
}

/// Enumerates all assignments of a small problem, and finds the best rank of the allowed assignments.
struct Everything<'a> {
    problem: &'a Problem<'a>,
    objective: Objective,
    allowed: &'a dyn Fn(&[(u32, u32)]) -> bool,
    candidates: Vec<(u32, u32)>,
    best: Option<Rank>,
}

impl<'a> Everything<'a> {
    /// Asserts that no allowed assignment is better than `found`, and that none is allowed if nothing was found.
    fn expect(
        problem: &'a Problem<'a>,
        objective: Objective,
        allowed: &'a dyn Fn(&[(u32, u32)]) -> bool,
        found: Option<&[(u32, u32)]>,
    ) {
        let mentors = u32::try_from(problem.mentors.len()).expect("few people");
        let all = (0..problem.mentees.len()).flat_map(|mentee| (0..mentors).map(move |mentor| (mentee, mentor)));
        let candidates = all.filter(|&(mentee, mentor)| problem.scores.score(mentee, mentor as usize).is_some());
        let candidates: Vec<(u32, u32)> =
            candidates.map(|(mentee, mentor)| (u32::try_from(mentee).expect("few"), mentor)).collect();
        if candidates.len() > FEW {
            return;
        }
        let mut all = Self { problem, objective, allowed, candidates, best: None };
        all.try_from(0, &mut Vec::new());
        assert_eq!(found.map(|pairs| rank(problem, objective, pairs)), all.best, "{objective:?} {found:?}");
    }

    fn try_from(&mut self, at: usize, pairs: &mut Vec<(u32, u32)>) {
        let Some(&(mentee, mentor)) = self.candidates.get(at) else {
            if (self.allowed)(pairs) {
                self.best = self.best.take().max(Some(rank(self.problem, self.objective, pairs)));
            }
            return;
        };
        self.try_from(at + 1, pairs);
        let has = pairs.iter().filter(|pair| pair.0 == mentee).count();
        let load = pairs.iter().filter(|pair| pair.1 == mentor).count();
        if has < usize::from(self.problem.mentees[mentee as usize].wanted)
            && load < self.problem.mentors[mentor as usize].max as usize
        {
            pairs.push((mentee, mentor));
            self.try_from(at + 1, pairs);
            pairs.pop();
        }
    }
}

/// Solves a problem for an objective, and checks the proof.
fn solved(problem: &Problem<'_>, objective: Objective) -> Vec<(u32, u32)> {
    let solution = solve(problem, objective, None, &Unobserved).expect("nobody stops it");
    let checked = check(problem, &solution.pairs, &solution.evidence, None, &Unobserved);
    let checked = checked.expect("nobody stops it");
    assert!(checked.proved, "{objective:?} {checked:?}");
    if objective != Objective::Stable {
        Everything::expect(problem, objective, &|_| true, Some(&solution.pairs));
    }
    solution.pairs
}

fn objectives(given: &Given) {
    for objective in Objective::ALL {
        let mut found = Vec::new();
        given.both(|problem| found.push(rank(problem, objective, &solved(problem, objective))));
        assert_eq!(found[0], found[1], "{objective:?}");
    }
}

fn pinned_and_vetoed(given: &Given, decisions: &Decisions) {
    let Decisions { pins, vetoes } = decisions;
    let keeps = |pairs: &[(u32, u32)]| {
        pins.iter().all(|pin| pairs.contains(pin)) && !vetoes.iter().any(|veto| pairs.contains(veto))
    };
    given.both(|problem| {
        let decided = match ReducedProblem::new(problem, decisions, &Unobserved) {
            Ok(decided) => decided,
            Err(error) => {
                assert!(matches!(error, ReductionError::Refused(wrong) if !wrong.is_empty()));
                // A veto of a pair that does not exist is refused, but forbids no assignment.
                let exist = |&(mentee, mentor): &(u32, u32)| {
                    (mentee as usize) < given.mentees.len() && (mentor as usize) < given.mentors.len()
                };
                if vetoes.iter().all(exist) {
                    Everything::expect(problem, Objective::BestTotal, &keeps, None);
                }
                return;
            }
        };
        for objective in Objective::ALL {
            let pairs = decided.with_pins(&solved(&decided.problem(), objective));
            let broken = broken_rule(problem, &pairs, &Unobserved).expect("nobody stops it");
            assert_eq!(broken, None, "{objective:?} {pairs:?}");
            assert!(keeps(&pairs), "{objective:?} {pairs:?}");
            if objective == Objective::BestTotal {
                Everything::expect(problem, objective, &keeps, Some(&pairs));
            }
        }
    });
}

fn within_quotas(given: &Given, quotas: &Quotas) {
    let side = |forest: &Forest, people: usize, of: &dyn Fn(usize) -> usize| {
        let counts = forest.count((0..people).map(|at| u32::try_from(of(at)).expect("few pairs")));
        let bounds = forest.groups().iter().zip(counts);
        bounds.into_iter().all(|(group, has)| (group.floor.into()..=group.ceiling.into()).contains(&has))
    };
    let keeps = |pairs: &[(u32, u32)]| {
        let of_mentee = |at: usize| pairs.iter().filter(|pair| pair.0 as usize == at).count();
        let of_mentor = |at: usize| pairs.iter().filter(|pair| pair.1 as usize == at).count();
        side(&quotas.mentees, given.mentees.len(), &of_mentee)
            && side(&quotas.mentors, given.mentors.len(), &of_mentor)
    };
    let mut found = Vec::new();
    given.both(|problem| {
        let answer = assign_within(problem, quotas, &Unobserved).expect("nobody stops it");
        let best = match answer {
            Answer::Best(Assignment { pairs, certificate, .. }) => {
                let verdict = certify_within(problem, quotas, &pairs, &certificate, &Unobserved);
                let verdict = verdict.expect("nobody stops it");
                assert!(verdict.proved(), "{verdict:?}");
                Some(pairs)
            }
            Answer::Impossible(cut) => {
                let shortage = check_cut(problem, quotas, &cut, &Unobserved).expect("nobody stops it");
                assert!(shortage.proved(), "{shortage:?}");
                None
            }
            Answer::TooManyTiers => panic!("three tiers are not too many"),
        };
        Everything::expect(problem, Objective::BestTotal, &keeps, best.as_deref());
        found.push(best.map(|pairs| rank(problem, Objective::BestTotal, &pairs)));
    });
    assert_eq!(found[0], found[1]);
}

/// Solves a changed problem warm: from the earlier result, and from arbitrary prices.
fn warm(before: &Given, now: &Given, bytes: &mut Bytes<'_>) {
    let mut start = Start::default();
    before.both(|problem| start = Start::of(&assign(problem, &Unobserved).expect("nobody stops it")));
    for _ in 0..bytes.below(3) {
        let at = bytes.below(start.mentor_prices.len() + 1);
        if let Some(price) = start.mentor_prices.get_mut(at) {
            *price = (bytes.below(4) > 0).then(|| i128::from(bytes.score(false)) * i128::from(bytes.next()));
        }
    }
    now.both(|problem| {
        let cold = assign(problem, &Unobserved).expect("nobody stops it");
        let warm = assign_from(problem, &start, &Unobserved).expect("nobody stops it");
        let verdict = certify(problem, &warm.pairs, &warm.certificate, &Unobserved).expect("nobody stops it");
        assert!(verdict.proved(), "{verdict:?}");
        let [cold, warm] = [&cold, &warm].map(|found| rank(problem, Objective::BestTotal, &found.pairs));
        assert_eq!(cold, warm);
    });
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let given = Given::read(&mut bytes);
    objectives(&given);
    let decisions = Decisions { pins: bytes.pairs(&given), vetoes: bytes.pairs(&given) };
    pinned_and_vetoed(&given, &decisions);
    let quotas =
        Quotas { mentees: bytes.forest(given.mentees.len()), mentors: bytes.forest(given.mentors.len()) };
    within_quotas(&given, &quotas);
    let now = given.changed(&mut bytes);
    warm(&given, &now, &mut bytes);
});
