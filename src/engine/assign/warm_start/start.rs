//! An earlier result as the start of a solve.

use crate::engine::assign::Assignment;

/// An earlier result to start from, in the positions of the problem to be solved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Pairs of a mentee and a mentor. Pairs that are no candidates, or too many for somebody, do no harm.
    pub pairs: Vec<(u32, u32)>,
    /// One price per mentor; `None` for a joiner, and for all who are missing at the end. The mentees' prices follow.
    pub mentor_prices: Vec<Option<i128>>,
    /// What a filled minimum place counted for when the prices were made. If it counts for more or less now, prices are
    /// moved along with it.
    pub minimum: i128,
}

impl Start {
    /// An earlier result for a problem with the same people.
    pub fn of(assignment: &Assignment) -> Self {
        let prices = &assignment.certificate.mentor_prices;
        Self {
            pairs: assignment.pairs.clone(),
            mentor_prices: prices.iter().copied().map(Some).collect(),
            minimum: assignment.certificate.minimum,
        }
    }

    /// The same for other people: `mentees` and `mentors` give the new position of each of the earlier ones, or `None` for
    /// one who has dropped out, and `count` is the number of mentors now.
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

    /// A mentor's price, moved from the old weight of a minimum place to the new one. Prices lie near multiples of it,
    /// since every weight of the objective is one.
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
