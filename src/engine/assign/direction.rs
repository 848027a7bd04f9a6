//! The two directions of the auction: mentees bid for seats (forward), or mentors bid for mentees (reverse).
//!
//! The [auction](super::auction), the [searches](super::search) and the [phases](super::phases) are written once, for
//! bidders and objects. [`Direction`] holds what they need; its required methods are those in which the directions differ.
//! Within an auction, prices of objects only rise, and the price of a bidder only falls after its first bid. The same
//! holds for every search and every phase. Admission of pairs to the core changes prices otherwise.

use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;

use super::core::{Core, index};
use super::primal_dual_state::PrimalDualState;

/// Bidders and objects of an auction, over the primal-dual state and the core.
pub(super) trait Direction<W: PriceInteger>: Sync {
    /// Prices of the objects.
    fn object_prices(&self) -> &[W];

    /// Prices of the objects, to change them.
    fn object_prices_mut(&mut self) -> &mut [W];

    /// Prices of the bidders.
    fn bidder_prices(&self) -> &[W];

    /// Prices of the bidders, to change them.
    fn bidder_prices_mut(&mut self) -> &mut [W];

    /// The pairs of a bidder, best score first. If a row is not sorted, [`Direction::lowest_price`] must return minus
    /// [`PriceInteger::INFINITE`], so that a row is read to its end.
    fn row(&self, bidder: usize) -> &[Edge];

    /// The pairs of an object.
    fn column(&self, object: usize) -> &[Edge];

    /// The pairs in use of a bidder: objects and scores.
    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)>;

    /// The pairs in use of an object: bidders and scores.
    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)>;

    /// Whether a pair is in use.
    fn are_mates(&self, bidder: usize, object: u32) -> bool;

    /// Number of units of a bidder that are in use but unserved.
    fn unserved(&self, bidder: usize) -> usize;

    /// The outside value of a bidder: minus the weight of its last unit in use, after `spare` units have been taken out
    /// of use. A bidder retreats from that unit if no object leaves it a greater value.
    fn outside_value(&self, bidder: usize, spare: usize) -> W;

    /// Cost of the retreat of a bidder from its last unit in use; [`PriceInteger::INFINITE`] if no unit is in use.
    fn retreat_cost(&self, bidder: usize) -> W;

    /// Takes an unserved unit of a bidder out of use.
    fn retreat(&mut self, bidder: usize);

    /// A lower bound on the price of every object; minus [`PriceInteger::INFINITE`] if rows are not sorted.
    fn lowest_price(&self) -> W;

    /// The price at which the next unit of an object opens, if there is a next unit.
    fn opening_price(&self, object: usize) -> Option<W>;

    /// Cost of one more unit of an object; [`PriceInteger::INFINITE`] if there is none.
    fn exit_cost(&self, object: usize) -> W;

    /// Whether an object has any unit at any price.
    fn has_capacity(&self, object: usize) -> bool;

    /// Takes one more unit of an object into use.
    fn occupy(&mut self, object: usize);

    /// The lowest bid that an object keeps.
    fn lowest_bid(&mut self, object: usize) -> Option<W>;

    /// Takes the pair with the lowest bid of an object out of use and returns its bidder.
    fn displace_lowest(&mut self, object: usize) -> Option<usize>;

    /// Puts a pair into use, with a unit that [`Direction::occupy`] or [`Direction::displace_lowest`] provided.
    fn attach(&mut self, bidder: usize, object: usize, score: i32);

    /// Takes a pair out of use: the unit of the bidder is unserved again.
    fn detach(&mut self, bidder: usize, object: usize);

    /// Reads the memory that a bid for an object will read, so that it is in the cache. The returned number has no meaning.
    fn prefetch(&self, object: usize) -> u32;

    /// Number of objects.
    fn objects(&self) -> usize {
        self.object_prices().len()
    }

    /// Number of bidders.
    fn bidders(&self) -> usize {
        self.bidder_prices().len()
    }

    /// Price of an object.
    fn price(&self, object: usize) -> W {
        self.object_prices()[object]
    }

    /// Sets the price of an object.
    fn set_price(&mut self, object: usize, price: W) {
        self.object_prices_mut()[object] = price;
    }

    /// Adds to the price of an object.
    fn raise_price(&mut self, object: usize, change: W) {
        self.object_prices_mut()[object] += change;
    }

    /// Price of a bidder.
    fn bidder_price(&self, bidder: usize) -> W {
        self.bidder_prices()[bidder]
    }

    /// Sets the price of a bidder.
    fn set_bidder_price(&mut self, bidder: usize, price: W) {
        self.bidder_prices_mut()[bidder] = price;
    }

    /// Subtracts from the price of a bidder.
    fn lower_bidder_price(&mut self, bidder: usize, change: W) {
        self.bidder_prices_mut()[bidder] -= change;
    }

    /// Whether an object has one more unit at its present price.
    fn is_open(&self, object: usize) -> bool {
        self.exit_cost(object) == W::default()
    }

    /// Reduced cost of a pair: at least 0 for a pair that is not in use, at most 0 for a pair in use.
    fn cost(&self, bidder: usize, object: usize, score: i32) -> W {
        self.bidder_price(bidder) + self.price(object) - W::from(score)
    }
}

/// Augments along a path: from its `end` back to its `source`, a bidder with an unserved unit. Nodes are the objects, then
/// the bidders. `predecessor` returns the predecessor of a node on the path and the score of the pair between them. It is
/// called once per node of the path, from the end back to the source, the source included.
pub(super) fn apply_path<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    end: usize,
    source: usize,
    mut predecessor: impl FnMut(usize) -> (u32, i32),
) {
    let objects = direction.objects();
    if end < objects {
        direction.occupy(end);
    }
    let mut node = end;
    let mut gained = None;
    loop {
        let (from, score) = predecessor(node);
        if node < objects {
            gained = Some((node, score));
        } else {
            let bidder = node - objects;
            if node != source {
                direction.detach(bidder, from as usize);
            }
            match gained {
                Some((object, score)) => direction.attach(bidder, object, score),
                None => direction.retreat(bidder),
            }
            if node == source {
                return;
            }
        }
        node = from as usize;
    }
}

/// Mentees bid for seats.
pub(super) struct ForwardDirection<'a, W> {
    /// The state to work on. A waiting mentee has an unserved place in use.
    pub(super) state: &'a mut PrimalDualState<W>,
    /// The pairs.
    pub(super) core: &'a Core<'a>,
}

impl<W: PriceInteger> Direction<W> for ForwardDirection<'_, W> {
    fn object_prices(&self) -> &[W] {
        self.state.prices()
    }

    fn object_prices_mut(&mut self) -> &mut [W] {
        self.state.prices_mut()
    }

    fn bidder_prices(&self) -> &[W] {
        &self.state.u
    }

    fn bidder_prices_mut(&mut self) -> &mut [W] {
        &mut self.state.u
    }

    fn row(&self, bidder: usize) -> &[Edge] {
        self.core.row(bidder)
    }

    fn column(&self, object: usize) -> &[Edge] {
        self.core.column(object)
    }

    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.mates(bidder).map(|place| (place.mentor as usize, place.score))
    }

    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.holders(object)
    }

    fn are_mates(&self, bidder: usize, object: u32) -> bool {
        self.state.are_mates(bidder, object)
    }

    fn unserved(&self, bidder: usize) -> usize {
        self.state.unserved(bidder)
    }

    fn outside_value(&self, bidder: usize, spare: usize) -> W {
        -self.state.place_weight_in_use(bidder, spare)
    }

    fn retreat_cost(&self, bidder: usize) -> W {
        self.state.close_place_cost(bidder)
    }

    fn retreat(&mut self, bidder: usize) {
        self.state.close_place(bidder);
    }

    fn lowest_price(&self) -> W {
        self.state.lowest_price()
    }

    fn opening_price(&self, object: usize) -> Option<W> {
        self.state.seat_opening_price(object)
    }

    fn exit_cost(&self, object: usize) -> W {
        self.state.exit_cost(object)
    }

    fn has_capacity(&self, object: usize) -> bool {
        self.state.has_seats(object)
    }

    fn occupy(&mut self, object: usize) {
        self.state.occupy_seat(object);
    }

    fn lowest_bid(&mut self, object: usize) -> Option<W> {
        self.state.lowest_bid(object)
    }

    fn displace_lowest(&mut self, object: usize) -> Option<usize> {
        self.state.detach_lowest(object)
    }

    fn attach(&mut self, bidder: usize, object: usize, score: i32) {
        self.state.attach(bidder, object, score);
    }

    fn detach(&mut self, bidder: usize, object: usize) {
        self.state.detach(bidder, object);
    }

    fn prefetch(&self, object: usize) -> u32 {
        self.state.prefetch(object)
    }
}

/// Mentors bid for mentees.
pub(super) struct ReverseDirection<'a, W> {
    /// The state to work on. A waiting mentor has a vacancy.
    pub(super) state: &'a mut PrimalDualState<W>,
    /// The pairs; the columns must be indexed.
    pub(super) core: &'a Core<'a>,
}

impl<W: PriceInteger> ReverseDirection<'_, W> {
    fn lowest_bidder(&self, object: usize) -> Option<(usize, W)> {
        let bid = |mentor: u32, score: i32| W::from(score) - self.state.price(mentor as usize);
        let bids =
            self.state.mates(object).map(|place| (place.mentor as usize, bid(place.mentor, place.score)));
        bids.min_by_key(|&(_, bid)| bid)
    }
}

impl<W: PriceInteger> Direction<W> for ReverseDirection<'_, W> {
    fn object_prices(&self) -> &[W] {
        &self.state.u
    }

    fn object_prices_mut(&mut self) -> &mut [W] {
        &mut self.state.u
    }

    fn bidder_prices(&self) -> &[W] {
        self.state.prices()
    }

    fn bidder_prices_mut(&mut self) -> &mut [W] {
        self.state.prices_mut()
    }

    fn row(&self, bidder: usize) -> &[Edge] {
        self.core.column(bidder)
    }

    fn column(&self, object: usize) -> &[Edge] {
        self.core.row(object)
    }

    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.holders(bidder)
    }

    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.mates(object).map(|place| (place.mentor as usize, place.score))
    }

    fn are_mates(&self, bidder: usize, object: u32) -> bool {
        self.state.are_mates(object as usize, index(bidder))
    }

    fn unserved(&self, bidder: usize) -> usize {
        self.state.vacancies(bidder) as usize
    }

    fn outside_value(&self, bidder: usize, spare: usize) -> W {
        -self.state.seat_weight_in_use(bidder, spare)
    }

    fn retreat_cost(&self, bidder: usize) -> W {
        self.state.close_seat_cost(bidder)
    }

    fn retreat(&mut self, bidder: usize) {
        self.state.fill_vacancy(bidder);
        self.state.close_seat(bidder);
    }

    fn lowest_price(&self) -> W {
        // A row that is not sorted must be read to its end.
        if self.core.has_sorted_columns() { self.state.lowest_mentee_price() } else { -W::INFINITE }
    }

    fn opening_price(&self, object: usize) -> Option<W> {
        self.state.place_opening_price(object)
    }

    fn exit_cost(&self, object: usize) -> W {
        self.state.open_place_cost(object)
    }

    fn has_capacity(&self, object: usize) -> bool {
        self.state.wants_places(object)
    }

    fn occupy(&mut self, object: usize) {
        self.state.open_place(object);
    }

    fn lowest_bid(&mut self, object: usize) -> Option<W> {
        self.lowest_bidder(object).map(|(_, bid)| bid)
    }

    fn displace_lowest(&mut self, object: usize) -> Option<usize> {
        let (mentor, _) = self.lowest_bidder(object)?;
        self.detach(mentor, object);
        Some(mentor)
    }

    fn attach(&mut self, bidder: usize, object: usize, score: i32) {
        self.state.attach(object, bidder, score);
        self.state.fill_vacancy(bidder);
    }

    fn detach(&mut self, bidder: usize, object: usize) {
        self.state.detach(object, bidder);
        self.state.open_vacancy(bidder);
    }

    fn prefetch(&self, object: usize) -> u32 {
        index(self.state.mates(object).count())
    }
}
