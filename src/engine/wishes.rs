//! The decisions of a frozen round and the pairs of the run that it follows, by position; and what is wrong with them.
//!
//! Input: the encoded round. Output: [`Wishes`], and every conflict of the decisions in the names of the round.
//! Invariants: a decision or a pair that names a person who does not take part in that role has no effect. A conflict names
//! rules on open answers only.

use std::collections::HashMap;

use super::decisions::{BadDecision, Decisions, sorted};
use super::encode::{Person, Round};
use super::following::KeptWorth;
use super::observer::{Observer, Stopped};
use super::pinned_problem::Wishes;
use super::problem::Problem;
use super::round_quotas::{OwnLimits, RoundQuotas};
use super::score::Scores;
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{HardRule, Objective};
use crate::domain::review::DecisionKind;
use crate::domain::snapshot::{FrozenDecision, Snapshot};

/// Positions of people by their names.
pub(super) struct Positions<'r>(HashMap<&'r ProfileRef, (Option<u32>, Option<u32>)>);

impl<'r> Positions<'r> {
    /// The positions of everyone who takes part.
    pub(super) fn of(round: &'r Round<'_>) -> Self {
        let position = |person: &'r Person<'_>| (person.profile, (person.mentee, person.mentor));
        Self(round.people.iter().map(position).collect())
    }

    /// The positions of a pair; `None` if one of the two does not take part in that role.
    pub(super) fn pair(&self, mentee: &ProfileRef, mentor: &ProfileRef) -> Option<(u32, u32)> {
        self.0.get(mentee)?.0.zip(self.0.get(mentor)?.1)
    }
}

/// The pins and the followed pairs of a round.
pub(super) fn wishes(round: &Round<'_>) -> Wishes {
    let snapshot = round.snapshot;
    // A round whose quotas overlap is refused before.
    let bounds = RoundQuotas::of(round, OwnLimits::Counted).unwrap_or_default().bounds;
    if snapshot.decisions.is_empty() && snapshot.follows.is_none() {
        return Wishes { bounds, ..Wishes::default() };
    }
    let positions = Positions::of(round);
    let pins: Vec<(u32, u32)> =
        snapshot.pins().filter_map(|(mentee, mentor)| positions.pair(mentee, mentor)).collect();
    let followed = snapshot.follows.iter().flat_map(|followed| &followed.pairs);
    let followed: Vec<(u32, u32)> =
        followed.filter_map(|(mentee, mentor)| positions.pair(mentee, mentor)).collect();
    Wishes { pins: sorted(&pins), followed: sorted(&followed), worth: worth(snapshot), bounds }
}

/// What a kept pair of the followed run is worth.
pub(super) fn worth(snapshot: &Snapshot) -> KeptWorth {
    match &snapshot.follows {
        Some(followed) if followed.repaired => KeptWorth::BeforeScores,
        _ => KeptWorth::Points(snapshot.policy.stability),
    }
}

/// Every conflict of the decisions of a round. Empty if all can be kept.
pub(super) fn conflicts(
    round: &Round<'_>,
    problem: &Problem<'_>,
    observer: &dyn Observer,
) -> Result<Vec<DecisionConflict>, Stopped> {
    let snapshot = round.snapshot;
    if snapshot.pins().next().is_none() {
        return Ok(Vec::new());
    }
    let positions = Positions::of(round);
    let open_rules = |(mentee, mentor): (u32, u32)| {
        let open = round.open(observer)?;
        let scores = Scores::new(&open, observer)?;
        let (_, story) = scores.explain(mentee as usize, mentor as usize);
        Ok(story.broken.into_iter().map(|(rule, _)| rule).collect())
    };
    let check = DecisionCheck {
        decisions: &snapshot.decisions,
        objective: snapshot.objective(),
        position: &|mentee, mentor| positions.pair(mentee, mentor),
        open_rules: &open_rules,
    };
    let mut conflicts = check.conflicts(problem, observer)?;
    conflicts.extend(bound_conflicts(round, &positions));
    conflicts.extend(least_places_conflicts(round, &positions, observer)?);
    conflicts.sort_by(|a, b| (&a.cause, &a.decisions).cmp(&(&b.cause, &b.decisions)));
    Ok(conflicts)
}

/// The pins that exceed the ceiling of a group, or the places that an organisation gives or takes. A limit of the policy and one
/// of an organisation's own read alike.
fn bound_conflicts(round: &Round<'_>, positions: &Positions<'_>) -> Vec<DecisionConflict> {
    let Ok(quotas) = RoundQuotas::of(round, OwnLimits::Counted) else { return Vec::new() };
    let RoundQuotas { bounds, mentee_groups, mentor_groups } = quotas;
    if bounds.is_empty() {
        return Vec::new();
    }
    let pins = round.snapshot.decisions.iter().filter(|one| one.kind == DecisionKind::Pin);
    let placed: Vec<((u32, u32), &FrozenDecision)> =
        pins.filter_map(|one| Some((positions.pair(&one.mentee, &one.mentor)?, one))).collect();
    let pairs: Vec<(u32, u32)> = placed.iter().map(|(pair, _)| *pair).collect();
    let of = |counts: &dyn Fn((u32, u32)) -> bool| -> Vec<FrozenDecision> {
        placed.iter().filter(|(pair, _)| counts(*pair)).map(|(_, one)| (*one).clone()).collect()
    };
    let mut conflicts = Vec::new();
    let [of_mentees, of_mentors] = bounds.quotas.count(&pairs);
    let sides = [
        (&bounds.quotas.mentees, of_mentees, mentee_groups, true),
        (&bounds.quotas.mentors, of_mentors, mentor_groups, false),
    ];
    for (forest, counts, codes, is_mentees) in sides {
        for (((at, group), has), code) in (0_u32..).zip(forest.groups()).zip(counts).zip(codes) {
            if has > u64::from(group.ceiling) {
                let within =
                    |pair: (u32, u32)| forest.contains(at, if is_mentees { pair.0 } else { pair.1 } as usize);
                let cause = ConflictCause::Ceiling { group: code, most: group.ceiling };
                conflicts.push(DecisionConflict { cause, decisions: of(&within) });
            }
        }
    }
    for (limit, (has, most)) in bounds.exchange.count(&pairs) {
        if has > u64::from(most) {
            let counts = |pair| bounds.exchange.of_pair(pair).any(|(one, _)| one == limit);
            conflicts.push(DecisionConflict { cause: ConflictCause::NoPlaceFree, decisions: of(&counts) });
        }
    }
    conflicts
}

/// The pins of mentors who cannot reach their least places, which are a rule, by open answers.
fn least_places_conflicts(
    round: &Round<'_>,
    positions: &Positions<'_>,
    observer: &dyn Observer,
) -> Result<Vec<DecisionConflict>, Stopped> {
    let least = RoundQuotas::of(round, OwnLimits::Hidden).unwrap_or_default().bounds.least;
    if least.is_empty() {
        return Ok(Vec::new());
    }
    let pins = round.snapshot.decisions.iter().filter(|one| one.kind == DecisionKind::Pin);
    let placed: Vec<((u32, u32), &FrozenDecision)> =
        pins.filter_map(|one| Some((positions.pair(&one.mentee, &one.mentor)?, one))).collect();
    let pairs: Vec<(u32, u32)> = placed.iter().map(|(pair, _)| *pair).collect();
    let below = least.broken(&pairs);
    if below.is_empty() {
        return Ok(Vec::new());
    }
    let open = round.open(observer)?;
    let scores = Scores::new(&open, observer)?;
    let mut left: Vec<i64> = round.demands().iter().map(|demand| demand.wanted.into()).collect();
    for (mentee, _) in &pairs {
        left[*mentee as usize] -= 1;
    }
    let mut conflicts = Vec::new();
    for mentor in below {
        observer.check()?;
        let pinned = |mentee: u32| pairs.contains(&(mentee, mentor));
        let has = pairs.iter().filter(|pair| pair.1 == mentor).count();
        let may = (0_u32..).zip(&left).filter(|(mentee, left)| {
            **left > 0 && !pinned(*mentee) && scores.verdict(*mentee as usize, mentor as usize).is_candidate()
        });
        let most = least.of(mentor).unwrap_or_default();
        if has + may.count() < most as usize {
            let of_her = placed.iter().filter(|(pair, _)| pair.1 == mentor);
            let decisions = of_her.map(|(_, one)| (*one).clone()).collect();
            conflicts.push(DecisionConflict { cause: ConflictCause::LeastPlaces { least: most }, decisions });
        }
    }
    Ok(conflicts)
}

/// The hard rules on open answers that exclude the pair at a position.
type OpenRules<'a> = dyn Fn((u32, u32)) -> Result<Vec<HardRule>, Stopped> + 'a;

/// The position of a pair of a mentee and a mentor.
type PositionOf<'a> = dyn Fn(&ProfileRef, &ProfileRef) -> Option<(u32, u32)> + 'a;

/// A check whether decisions can be kept.
pub(super) struct DecisionCheck<'a> {
    /// All decisions.
    pub(super) decisions: &'a [FrozenDecision],
    /// The objective of the round.
    pub(super) objective: Objective,
    /// The position of a pair; `None` if one of the two people does not take part in that role.
    pub(super) position: &'a PositionOf<'a>,
    /// The rules that exclude a pair.
    pub(super) open_rules: &'a OpenRules<'a>,
}

impl DecisionCheck<'_> {
    /// Every conflict of the decisions with each other and with a problem, in which vetoed pairs may be candidates or not.
    /// Sorted.
    pub(super) fn conflicts(
        &self,
        problem: &Problem<'_>,
        observer: &dyn Observer,
    ) -> Result<Vec<DecisionConflict>, Stopped> {
        let placed: Vec<((u32, u32), &FrozenDecision)> = (self.decisions.iter())
            .filter_map(|one| Some(((self.position)(&one.mentee, &one.mentor)?, one)))
            .collect();
        let of = |wanted: &dyn Fn((u32, u32), DecisionKind) -> bool| -> Vec<FrozenDecision> {
            let wanted = placed.iter().filter(|(pair, one)| wanted(*pair, one.kind));
            wanted.map(|(_, one)| (*one).clone()).collect()
        };
        let pins =
            |wanted: &dyn Fn((u32, u32)) -> bool| of(&|pair, kind| kind == DecisionKind::Pin && wanted(pair));
        let pairs = |kind| placed.iter().filter(move |(_, one)| one.kind == kind).map(|(pair, _)| *pair);
        let decisions = Decisions {
            pins: pairs(DecisionKind::Pin).collect(),
            vetoes: pairs(DecisionKind::Veto).collect(),
        };
        let mut conflicts = Vec::new();
        if !decisions.pins.is_empty() && self.objective == Objective::Stable {
            conflicts.push(DecisionConflict { cause: ConflictCause::Objective, decisions: pins(&|_| true) });
        }
        for one in decisions.conflicts(problem, observer)? {
            let (cause, decisions) = match one {
                BadDecision::Unknown { .. } => continue,
                BadDecision::PinnedAndVetoed { mentee, mentor } => {
                    (ConflictCause::PinnedAndVetoed, of(&|pair, _| pair == (mentee, mentor)))
                }
                BadDecision::NotACandidate { mentee, mentor } => {
                    let mut rules = (self.open_rules)((mentee, mentor))?;
                    let is_vetoed = decisions.vetoes.contains(&(mentee, mentor));
                    rules.retain(|rule| *rule != HardRule::Veto);
                    if is_vetoed && rules.is_empty() {
                        continue;
                    }
                    (ConflictCause::NotPossible { rules }, pins(&|pair| pair == (mentee, mentor)))
                }
                BadDecision::BothDirections { mentee, mentor } => {
                    let opposite = problem.scores.opposites().and_then(|all| all.of((mentee, mentor)));
                    let decisions = pins(&|pair| pair == (mentee, mentor) || Some(pair) == opposite);
                    (ConflictCause::BothDirections, decisions)
                }
                BadDecision::TooManyMentors { mentee, wanted, .. } => {
                    (ConflictCause::TooManyMentors { wanted }, pins(&|pair| pair.0 == mentee))
                }
                BadDecision::TooManyMentees { mentor, seats, .. } => {
                    (ConflictCause::TooManyMentees { places: seats }, pins(&|pair| pair.1 == mentor))
                }
            };
            conflicts.push(DecisionConflict { cause, decisions });
        }
        conflicts.sort_by(|a, b| (&a.cause, &a.decisions).cmp(&(&b.cause, &b.decisions)));
        Ok(conflicts)
    }
}
