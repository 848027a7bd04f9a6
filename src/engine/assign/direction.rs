//! The two directions of the direction: mentees bid for mentors' seats, or mentors bid for mentees. The
//! [auction](super::auction), the [searches](super::augment) and the [phases](super::phases) serve either side.

use crate::engine::pair_scores::Edge;

use super::core::{Core, index};
use super::price_integer::PriceInteger;
use super::primal_dual_state::PrimalDualState;

/// Who bids, and for whom. Bidders and bid-for have prices; those of the bid-for rise, those of bidders fall.
pub(super) trait Direction<W: PriceInteger>: Sync {
    /// Number of those who are bid for.
    fn objects(&self) -> usize;

    /// Number of bidders.
    fn bidders(&self) -> usize;

    /// The pairs of a bidder, best score first; in any order where [`Direction::lowest_price`] is below everything.
    fn row(&self, bidder: usize) -> &[Edge];

    /// Units that a bidder has in use and that nobody serves.
    fn unserved(&self, bidder: usize) -> usize;

    /// The value below which a bidder gives her last unit in use up, once she has given up `spare` others.
    fn outside_value(&self, bidder: usize, spare: usize) -> W;

    /// Whether the pair is in use.
    fn are_mates(&self, bidder: usize, object: u32) -> bool;

    /// Price of one bid for.
    fn price(&self, object: usize) -> W;

    /// No price of one bid for is lower.
    fn lowest_price(&self) -> W;

    /// Whether one bid for has room at her present price.
    fn is_open(&self, object: usize) -> bool;

    /// The price at which she has room again, if there is one.
    fn opening_price(&self, object: usize) -> Option<W>;

    /// The lowest bid that she keeps.
    fn lowest_bid(&mut self, object: usize) -> Option<W>;

    /// Reads what hearing a bid for her will read, to have it at hand soon. What it gives means nothing.
    fn prefetch(&self, object: usize) -> u32;

    /// Sets her price.
    fn set_price(&mut self, object: usize, price: W);

    /// A bidder's price.
    fn bidder_price(&self, bidder: usize) -> W;

    /// Sets a bidder's price.
    fn set_bidder_price(&mut self, bidder: usize, value: W);

    /// A bidder gives up a unit that nobody serves.
    fn retreat(&mut self, bidder: usize);

    /// Puts a pair into use, in room that she has or that [`Direction::evict`] made.
    fn attach(&mut self, bidder: usize, object: usize, score: i32);

    /// She takes more room into use.
    fn occupy(&mut self, object: usize);

    /// She drops the lowest bid, and its bidder is named.
    fn displace_lowest(&mut self, object: usize) -> Option<usize>;

    /// The pairs of one bid for; those of a bidder are in [`Direction::row`].
    fn column(&self, object: usize) -> &[Edge];

    /// What it costs to put a pair into use: nothing or more for a pair not in use, nothing or less for one in use.
    fn cost(&self, bidder: usize, object: usize, score: i32) -> W;

    /// Those whom a bidder has, with the pairs' scores.
    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)>;

    /// The bidders who have one bid for, with the pairs' scores.
    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)>;

    /// What it costs to take more room of one bid for into use; [`PriceInteger::INFINITE`] if she has none.
    fn exit_cost(&self, object: usize) -> W;

    /// What it costs a bidder to give her last unit in use up; [`PriceInteger::INFINITE`] if none is in use.
    fn retreat_cost(&self, bidder: usize) -> W;

    /// Whether one bid for has anything to give at any price.
    fn has_capacity(&self, object: usize) -> bool;

    /// Adds to the price of one bid for.
    fn raise_price(&mut self, object: usize, change: W) {
        self.set_price(object, self.price(object) + change);
    }

    /// Takes from a bidder's price.
    fn lower_bidder_price(&mut self, bidder: usize, change: W);

    /// Puts a pair out of use: the bidder's unit waits to be served again.
    fn detach(&mut self, bidder: usize, object: usize);
}

/// Passes room along a path, from its `end` back to the `source`, a bidder with a unit that nobody serves. Nodes are those
/// bid for, then the bidders; `step` gives the node from which the path came to a node, and the score of the pair along
/// which it came.
pub(super) fn augment<W: PriceInteger, D: Direction<W>>(
    direction: &mut D,
    end: usize,
    source: usize,
    mut step: impl FnMut(usize) -> (u32, i32),
) {
    let objects = direction.objects();
    if end < objects {
        direction.occupy(end);
    }
    let mut node = end;
    let mut gained = None;
    loop {
        let (from, score) = step(node);
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
    /// The state to work on; the mentees who wait have their places in use.
    pub(super) state: &'a mut PrimalDualState<W>,
    /// The pairs.
    pub(super) core: &'a Core<'a>,
}

impl<W: PriceInteger> Direction<W> for ForwardDirection<'_, W> {
    fn objects(&self) -> usize {
        self.state.mentors()
    }

    fn bidders(&self) -> usize {
        self.state.mentees()
    }

    fn row(&self, bidder: usize) -> &[Edge] {
        self.core.row(bidder)
    }

    fn unserved(&self, bidder: usize) -> usize {
        self.state.unserved(bidder)
    }

    fn outside_value(&self, bidder: usize, spare: usize) -> W {
        -self.state.place_worth(bidder, spare)
    }

    fn are_mates(&self, bidder: usize, object: u32) -> bool {
        self.state.are_mates(bidder, object)
    }

    fn price(&self, object: usize) -> W {
        self.state.price(object)
    }

    fn lowest_price(&self) -> W {
        self.state.lowest_price()
    }

    fn is_open(&self, object: usize) -> bool {
        self.state.is_open(object)
    }

    fn opening_price(&self, object: usize) -> Option<W> {
        self.state.seat_opening_price(object)
    }

    fn lowest_bid(&mut self, object: usize) -> Option<W> {
        self.state.lowest_bid(object)
    }

    fn prefetch(&self, object: usize) -> u32 {
        self.state.prefetch(object)
    }

    fn set_price(&mut self, object: usize, price: W) {
        self.state.set_price(object, price);
    }

    fn bidder_price(&self, bidder: usize) -> W {
        self.state.u[bidder]
    }

    fn set_bidder_price(&mut self, bidder: usize, value: W) {
        self.state.u[bidder] = value;
    }

    fn retreat(&mut self, bidder: usize) {
        self.state.close_place(bidder);
    }

    fn attach(&mut self, bidder: usize, object: usize, score: i32) {
        self.state.attach(bidder, object, score);
    }

    fn occupy(&mut self, object: usize) {
        self.state.occupy_seat(object);
    }

    fn displace_lowest(&mut self, object: usize) -> Option<usize> {
        self.state.detach_lowest(object)
    }

    fn column(&self, object: usize) -> &[Edge] {
        self.core.column(object)
    }

    fn cost(&self, bidder: usize, object: usize, score: i32) -> W {
        self.state.cost(bidder, object, score)
    }

    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.mates(bidder).map(|place| (place.mentor as usize, place.score))
    }

    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.holders(object)
    }

    fn exit_cost(&self, object: usize) -> W {
        self.state.exit_cost(object)
    }

    fn retreat_cost(&self, bidder: usize) -> W {
        self.state.close_place_cost(bidder)
    }

    fn has_capacity(&self, object: usize) -> bool {
        self.state.has_seats(object)
    }

    fn lower_bidder_price(&mut self, bidder: usize, change: W) {
        self.state.u[bidder] -= change;
    }

    fn detach(&mut self, bidder: usize, object: usize) {
        self.state.detach(bidder, object);
    }
}

/// Mentors bid for mentees.
pub(super) struct ReverseDirection<'a, W> {
    /// The state to work on; the mentors who wait have vacancies.
    pub(super) state: &'a mut PrimalDualState<W>,
    /// The pairs; columns must be indexed.
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
    fn objects(&self) -> usize {
        self.state.mentees()
    }

    fn bidders(&self) -> usize {
        self.state.mentors()
    }

    fn row(&self, bidder: usize) -> &[Edge] {
        self.core.column(bidder)
    }

    fn unserved(&self, bidder: usize) -> usize {
        self.state.vacancies(bidder) as usize
    }

    fn outside_value(&self, bidder: usize, spare: usize) -> W {
        -self.state.seat_worth(bidder, spare)
    }

    fn are_mates(&self, bidder: usize, object: u32) -> bool {
        self.state.are_mates(object as usize, index(bidder))
    }

    fn price(&self, object: usize) -> W {
        self.state.u[object]
    }

    fn lowest_price(&self) -> W {
        // Where rows are in no order, none may be left before its end.
        if self.core.has_ranked_columns() { self.state.lowest_mentee_price() } else { -W::INFINITE }
    }

    fn is_open(&self, object: usize) -> bool {
        self.state.place_opening_price(object).is_some_and(|opening| opening == self.state.u[object])
    }

    fn opening_price(&self, object: usize) -> Option<W> {
        self.state.place_opening_price(object)
    }

    fn lowest_bid(&mut self, object: usize) -> Option<W> {
        self.lowest_bidder(object).map(|(_, bid)| bid)
    }

    fn prefetch(&self, object: usize) -> u32 {
        index(self.state.mates(object).count())
    }

    fn set_price(&mut self, object: usize, price: W) {
        self.state.u[object] = price;
    }

    fn bidder_price(&self, bidder: usize) -> W {
        self.state.price(bidder)
    }

    fn set_bidder_price(&mut self, bidder: usize, value: W) {
        self.state.set_price(bidder, value);
    }

    fn retreat(&mut self, bidder: usize) {
        self.state.fill_vacancy(bidder);
        self.state.close_seat(bidder);
    }

    fn attach(&mut self, bidder: usize, object: usize, score: i32) {
        self.state.attach(object, bidder, score);
        self.state.fill_vacancy(bidder);
    }

    fn occupy(&mut self, object: usize) {
        self.state.open_place(object);
    }

    fn displace_lowest(&mut self, object: usize) -> Option<usize> {
        let (mentor, _) = self.lowest_bidder(object)?;
        self.detach(mentor, object);
        Some(mentor)
    }

    fn column(&self, object: usize) -> &[Edge] {
        self.core.row(object)
    }

    fn cost(&self, bidder: usize, object: usize, score: i32) -> W {
        self.state.cost(object, bidder, score)
    }

    fn mates(&self, bidder: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.holders(bidder)
    }

    fn holders(&self, object: usize) -> impl Iterator<Item = (usize, i32)> {
        self.state.mates(object).map(|place| (place.mentor as usize, place.score))
    }

    fn exit_cost(&self, object: usize) -> W {
        self.state.open_place_cost(object)
    }

    fn retreat_cost(&self, bidder: usize) -> W {
        self.state.close_seat_cost(bidder)
    }

    fn has_capacity(&self, object: usize) -> bool {
        self.state.wants_places(object)
    }

    fn lower_bidder_price(&mut self, bidder: usize, change: W) {
        self.state.set_price(bidder, self.state.price(bidder) - change);
    }

    fn detach(&mut self, bidder: usize, object: usize) {
        self.state.detach(object, bidder);
        self.state.open_vacancy(bidder);
    }
}
