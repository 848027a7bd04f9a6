//! The two directions of the [auction](super::auction): mentees bid for mentors' seats, or mentors bid for mentees.

use crate::engine::problem::Arc;

use super::core::{Core, index};
use super::state::State;
use super::weight::Weight;

/// Who bids, and for whom. Bidders and bid-for have prices; those of the bid-for rise, those of bidders fall.
pub(super) trait Market<W: Weight>: Sync {
    /// The pairs of a bidder, best score first.
    fn row(&self, bidder: usize) -> &[Arc];

    /// Units that a bidder has in use and that nobody serves.
    fn missing(&self, bidder: usize) -> usize;

    /// The value below which a bidder gives her last unit in use up, once she has given up `spare` others.
    fn outside(&self, bidder: usize, spare: usize) -> W;

    /// Whether the pair is in use.
    fn are_mates(&self, bidder: usize, item: u32) -> bool;

    /// Price of one bid for.
    fn price(&self, item: usize) -> W;

    /// No price of one bid for is lower.
    fn lowest_price(&self) -> W;

    /// Whether one bid for has room at her present price.
    fn is_open(&self, item: usize) -> bool;

    /// The price at which she has room again, if there is one.
    fn next_opening(&self, item: usize) -> Option<W>;

    /// The lowest bid that she keeps.
    fn lowest_bid(&mut self, item: usize) -> Option<W>;

    /// Reads what hearing a bid for her will read, to have it at hand soon. What it gives means nothing.
    fn glance(&self, item: usize) -> u32;

    /// Sets her price.
    fn set_price(&mut self, item: usize, price: W);

    /// Sets a bidder's price.
    fn set_value(&mut self, bidder: usize, value: W);

    /// A bidder gives up a unit that nobody serves.
    fn give_up(&mut self, bidder: usize);

    /// Puts a pair into use, in room that she has or that [`Market::evict`] made.
    fn attach(&mut self, bidder: usize, item: usize, score: i32);

    /// She takes more room into use.
    fn take(&mut self, item: usize);

    /// She drops the lowest bid, and its bidder is named.
    fn evict(&mut self, item: usize) -> Option<usize>;
}

/// Mentees bid for seats.
pub(super) struct ForSeats<'a, W> {
    /// The state to work on; the mentees who wait have their places in use.
    pub(super) state: &'a mut State<W>,
    /// The pairs.
    pub(super) core: &'a Core<'a>,
}

impl<W: Weight> Market<W> for ForSeats<'_, W> {
    fn row(&self, bidder: usize) -> &[Arc] {
        self.core.row(bidder)
    }

    fn missing(&self, bidder: usize) -> usize {
        self.state.unserved(bidder)
    }

    fn outside(&self, bidder: usize, spare: usize) -> W {
        -self.state.place_worth(bidder, spare)
    }

    fn are_mates(&self, bidder: usize, item: u32) -> bool {
        self.state.are_mates(bidder, item)
    }

    fn price(&self, item: usize) -> W {
        self.state.price(item)
    }

    fn lowest_price(&self) -> W {
        self.state.lowest_price()
    }

    fn is_open(&self, item: usize) -> bool {
        self.state.is_open(item)
    }

    fn next_opening(&self, item: usize) -> Option<W> {
        self.state.next_opening(item)
    }

    fn lowest_bid(&mut self, item: usize) -> Option<W> {
        self.state.lowest_bid(item)
    }

    fn glance(&self, item: usize) -> u32 {
        self.state.glance(item)
    }

    fn set_price(&mut self, item: usize, price: W) {
        self.state.set_price(item, price);
    }

    fn set_value(&mut self, bidder: usize, value: W) {
        self.state.u[bidder] = value;
    }

    fn give_up(&mut self, bidder: usize) {
        self.state.leave(bidder);
    }

    fn attach(&mut self, bidder: usize, item: usize, score: i32) {
        self.state.attach(bidder, item, score);
    }

    fn take(&mut self, item: usize) {
        self.state.take_seat(item);
    }

    fn evict(&mut self, item: usize) -> Option<usize> {
        self.state.detach_lowest(item)
    }
}

/// Mentors bid for mentees.
pub(super) struct ForMentees<'a, W> {
    /// The state to work on; the mentors who wait have holes.
    pub(super) state: &'a mut State<W>,
    /// The pairs; columns must be indexed.
    pub(super) core: &'a Core<'a>,
}

impl<W: Weight> ForMentees<'_, W> {
    fn lowest_bidder(&self, item: usize) -> Option<(usize, W)> {
        let bid = |mentor: u32, score: i32| W::from(score) - self.state.price(mentor as usize);
        let bids =
            self.state.mates(item).map(|place| (place.mentor as usize, bid(place.mentor, place.score)));
        bids.min_by_key(|&(_, bid)| bid)
    }
}

impl<W: Weight> Market<W> for ForMentees<'_, W> {
    fn row(&self, bidder: usize) -> &[Arc] {
        self.core.column(bidder)
    }

    fn missing(&self, bidder: usize) -> usize {
        self.state.holes(bidder) as usize
    }

    fn outside(&self, bidder: usize, spare: usize) -> W {
        -self.state.seat_worth(bidder, spare)
    }

    fn are_mates(&self, bidder: usize, item: u32) -> bool {
        self.state.are_mates(item as usize, index(bidder))
    }

    fn price(&self, item: usize) -> W {
        self.state.u[item]
    }

    fn lowest_price(&self) -> W {
        self.state.lowest_mentee_price()
    }

    fn is_open(&self, item: usize) -> bool {
        self.state.next_place_opening(item).is_some_and(|opening| opening == self.state.u[item])
    }

    fn next_opening(&self, item: usize) -> Option<W> {
        self.state.next_place_opening(item)
    }

    fn lowest_bid(&mut self, item: usize) -> Option<W> {
        self.lowest_bidder(item).map(|(_, bid)| bid)
    }

    fn glance(&self, item: usize) -> u32 {
        index(self.state.mates(item).count())
    }

    fn set_price(&mut self, item: usize, price: W) {
        self.state.u[item] = price;
    }

    fn set_value(&mut self, bidder: usize, value: W) {
        self.state.set_price(bidder, value);
    }

    fn give_up(&mut self, bidder: usize) {
        self.state.fill_hole(bidder);
        self.state.vacate(bidder);
    }

    fn attach(&mut self, bidder: usize, item: usize, score: i32) {
        self.state.attach(item, bidder, score);
        self.state.fill_hole(bidder);
    }

    fn take(&mut self, item: usize) {
        self.state.enter(item);
    }

    fn evict(&mut self, item: usize) -> Option<usize> {
        let (mentor, _) = self.lowest_bidder(item)?;
        self.state.detach(item, mentor);
        self.state.open_hole(mentor);
        Some(mentor)
    }
}
