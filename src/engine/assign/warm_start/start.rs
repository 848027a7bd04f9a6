//! An earlier result as the start of a solve.

use crate::engine::assign::Assignment;

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

    /// The price of a mentor, moved from the earlier weight of a minimum seat to the present one. Prices lie near
    /// multiples of this weight, because every weight of the objective is a multiple of it.
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
