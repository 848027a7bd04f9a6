//! The start of a warm start, and the state that is rebuilt from it.
//!
//! [`rebuild`] sets a new state from any start so that all conditions hold. A pair of the start that violates a condition
//! is dropped, which leaves an unserved place or a vacancy.

use rayon::prelude::*;

use crate::engine::assign::core::{Core, index};
use crate::engine::assign::lexicographic_weights::LexicographicWeights;
use crate::engine::assign::primal_dual_state::{PrimalDualState, RebuiltMentee, Unserved};
use crate::engine::assign::solver::Assignment;
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::{Problem, Seats};

/// Rows between two checks of the observer.
const ROWS_PER_CHECK: usize = 4096;

/// A start is discarded if it would leave more than one vacancy per this many mentees, plus [`FREE_VACANCIES`].
const MENTEES_PER_VACANCY: u64 = 4;

/// A start that would leave at most this many vacancies is always used.
const FREE_VACANCIES: u64 = 64;

/// An earlier result, in the positions of the problem to be solved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Pairs of a mentee and a mentor. Pairs that are no candidates, or too many pairs of a person, are ignored.
    pub pairs: Vec<(u32, u32)>,
    /// One price per mentor; `None` for a mentor that joined, and for mentors beyond the end. The prices of mentees
    /// follow from these.
    pub mentor_prices: Vec<Option<i128>>,
    /// Weight of a minimum seat when the prices were computed. If the weight has changed, prices move with it.
    pub minimum: i128,
}

impl Start {
    /// The result of a problem with the same people.
    pub fn of(assignment: &Assignment) -> Self {
        let prices = &assignment.certificate.mentor_prices;
        Self {
            pairs: assignment.pairs.clone(),
            mentor_prices: prices.iter().copied().map(Some).collect(),
            minimum: assignment.certificate.minimum,
        }
    }

    /// The same result for other people. `mentees` and `mentors` map earlier positions to present ones, with `None`
    /// for a person that left. `count` is the present number of mentors.
    #[must_use]
    pub fn moved(&self, mentees: &[Option<u32>], mentors: &[Option<u32>], count: usize) -> Self {
        let to = |moves: &[Option<u32>], at: u32| moves.get(at as usize).copied().flatten();
        let pairs = self.pairs.iter();
        let pairs = pairs.filter_map(|&(mentee, mentor)| Some((to(mentees, mentee)?, to(mentors, mentor)?)));
        let mut mentor_prices = vec![None; count];
        for (&price, &at) in self.mentor_prices.iter().zip(mentors) {
            if let Some(slot) = at.and_then(|at| mentor_prices.get_mut(at as usize)) {
                *slot = price;
            }
        }
        Self { pairs: pairs.collect(), mentor_prices, minimum: self.minimum }
    }

    /// The price of a mentor, moved from the earlier weight of a minimum seat to the present one. This is a heuristic:
    /// without quotas every weight of the objective is a multiple of this weight, so prices lie near such multiples. Any
    /// price is valid after it was clamped.
    pub(super) fn price(&self, mentor: usize, minimum: i128) -> Option<i128> {
        let price = self.mentor_prices.get(mentor).copied().flatten()?;
        let old = self.minimum.max(1);
        if old == minimum {
            return Some(price);
        }
        let steps = price.saturating_add(old / 2).div_euclid(old);
        Some(price.saturating_add(steps.saturating_mul(minimum - old)))
    }
}

/// Rebuilds `state`, which must be new, from the start. Returns the bidders that wait. Returns `None` if the start would
/// leave too many vacancies; then the state must not be used.
pub(super) fn rebuild<W: PriceInteger>(
    problem: &Problem<'_>,
    start: &Start,
    weights: &LexicographicWeights,
    core: &Core<'_>,
    state: &mut PrimalDualState<W>,
    observer: &dyn Observer,
) -> Result<Option<Unserved>, Stopped> {
    let GivenPairs { pairs, from, load } = GivenPairs::of(problem, start);
    let minimum = weights.minimum::<W>();
    let prohibitive = weights.prohibitive_price();
    let mut missing = 0_u64;
    for (mentor, (&seats, &load)) in problem.mentors.iter().zip(&load).enumerate() {
        let Seats { min, max } = Seats { min: seats.min.min(seats.max), ..seats };
        let lowest_allowed = state.price(mentor);
        if max == 0 {
            continue;
        }
        let price = start
            .price(mentor, minimum.into())
            .map_or(lowest_allowed, |price| W::saturating_from(price.min(prohibitive)));
        // A seat beyond the minimum has a price of at least 0.
        let lowest_allowed = if load > min { W::default() } else { lowest_allowed };
        state.set_price(mentor, price.max(lowest_allowed));
        missing += u64::from(seats_in_use_at(seats, price.max(lowest_allowed), minimum).saturating_sub(load));
    }
    if missing > problem.mentees.len() as u64 / MENTEES_PER_VACANCY + FREE_VACANCIES {
        return Ok(None);
    }

    let (second, lowest) = (weights.second(), state.lowest_price());
    state.rebuild(&load, |mentee, prices| {
        if mentee.is_multiple_of(ROWS_PER_CHECK) {
            observer.check()?;
        }
        let demand = problem.mentees[mentee];
        if demand.wanted == 0 {
            return Ok(RebuiltMentee { u: W::saturating_from(prohibitive), ..RebuiltMentee::default() });
        }
        let given = &pairs[from[mentee] as usize..from[mentee + 1] as usize];
        let offers = Offers::of(problem, core, prices, lowest, mentee, given);
        Ok(offers.keep(weights.first(demand), second))
    })?;
    let mut waiting = Vec::new();
    for mentee in 0..problem.mentees.len() {
        while state.open_place_cost(mentee) < W::default() {
            state.open_place(mentee);
        }
        if state.unserved(mentee) > 0 {
            waiting.push(index(mentee));
        }
    }
    let mut mentors_with_vacancies = Vec::new();
    for (mentor, &seats) in problem.mentors.iter().enumerate() {
        if state.set_seats_in_use(mentor, seats_in_use_at(seats, state.price(mentor), minimum)) > 0 {
            mentors_with_vacancies.push(index(mentor));
        }
    }
    Ok(Some(Unserved { waiting, mentors_with_vacancies }))
}

/// Number of seats in use that a price implies.
fn seats_in_use_at<W: PriceInteger>(Seats { min, max }: Seats, price: W, minimum: W) -> u32 {
    if price > W::default() {
        max
    } else if price > -minimum {
        min.min(max)
    } else {
        0
    }
}

/// The pairs of a start, without pairs beyond the demand or the seats of a person.
struct GivenPairs {
    /// By mentee and mentor.
    pairs: Vec<(u32, u32)>,
    /// Where the pairs of each mentee begin, and the end of the last.
    from: Vec<u32>,
    /// Number of pairs of each mentor.
    load: Vec<u32>,
}

impl GivenPairs {
    fn of(problem: &Problem<'_>, start: &Start) -> Self {
        let mut pairs = start.pairs.clone();
        if !pairs.is_sorted() {
            pairs.par_sort_unstable();
        }
        pairs.dedup();
        let mut load = vec![0; problem.mentors.len()];
        let mut has = vec![0_u8; problem.mentees.len()];
        pairs.retain(|&(mentee, mentor)| {
            let (Some(demand), Some(seats)) =
                (problem.mentees.get(mentee as usize), problem.mentors.get(mentor as usize))
            else {
                return false;
            };
            let (has, load) = (&mut has[mentee as usize], &mut load[mentor as usize]);
            let room = *has < demand.wanted.min(2) && *load < seats.max;
            if room {
                *has += 1;
                *load += 1;
            }
            room
        });
        let mut from = Vec::with_capacity(has.len() + 1);
        let mut end = 0;
        from.push(end);
        from.extend(has.iter().map(|&has| {
            end += u32::from(has);
            end
        }));
        Self { pairs, from, load }
    }
}

/// Values of a mentee's pairs at the prices of the start.
struct Offers<W> {
    /// Values of the pairs of the start; best first.
    given: [Option<(W, Edge)>; 2],
    /// The best value of any other pair.
    others: W,
}

impl<W: PriceInteger> Offers<W> {
    fn of(
        problem: &Problem<'_>,
        core: &Core<'_>,
        prices: &[W],
        lowest: W,
        mentee: usize,
        given: &[(u32, u32)],
    ) -> Self {
        let mut offers = Self { given: [None, None], others: -W::INFINITE };
        let mut left = given.len();
        let value = |edge: &Edge| W::from(edge.score) - prices[edge.to as usize];
        for edge in core.row(mentee) {
            if left == 0 && W::from(edge.score) - lowest <= offers.others {
                break;
            }
            match given.iter().position(|pair| pair.1 == edge.to) {
                Some(at) => {
                    offers.given[at.min(1)] = Some((value(edge), *edge));
                    left -= 1;
                }
                None => offers.others = offers.others.max(value(edge)),
            }
        }
        if left > 0 {
            for (slot, &(_, to)) in offers.given.iter_mut().zip(given).filter(|(slot, _)| slot.is_none()) {
                let edge = problem.scores.score(mentee, to as usize).map(|score| Edge { to, score });
                *slot = edge.map(|edge| (value(&edge), edge));
            }
        }
        offers.given.sort_by_key(|offer| std::cmp::Reverse(offer.map(|offer| offer.0)));
        offers
    }

    /// Keeps the pairs that offer no less than any other pair and are worth a place.
    fn keep(self, first: W, second: W) -> RebuiltMentee<W> {
        let Self { given, mut others } = self;
        let mut mates = given.map(|offer| offer.filter(|offer| offer.0 >= others));
        for (mate, worth) in mates.iter_mut().zip([first, second]).rev() {
            if let Some((offer, _)) = mate.filter(|&(offer, _)| offer < others || offer < -worth) {
                others = others.max(offer);
                *mate = None;
            }
        }
        let worth = if mates[1].is_some() { second } else { first };
        RebuiltMentee { u: others.max(-worth), mates: mates.map(|mate| mate.map(|(_, edge)| edge)) }
    }
}
