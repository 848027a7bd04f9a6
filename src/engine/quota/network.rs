//! The flow network of a problem with quotas.
//!
//! One unit of flow is one pair. Flow runs from the root down the groups of mentees (one arc per group, with floor and
//! ceiling) to a mentee (one arc per place, with its bonus), along the pair to a mentor, and from the mentor (one arc
//! for minimum places, one for the other places) up the groups of mentors to the root. Relative to the root, the price
//! `pi` of a mentee is `u`, and the price of a mentor is `-p`.

use rayon::prelude::*;

use crate::engine::assign::{StopPoll, index};
use crate::engine::certificate::Certificate;
use crate::engine::groups::{Forest, Quotas};
use crate::engine::observer::Stopped;
use crate::engine::pair_scores::Edge;
use crate::engine::price_integer::PriceInteger;
use crate::engine::problem::Problem;

use super::flow::Flow;

/// Units of work to add an arc.
const ADDING: usize = 16;

/// A pair of the network.
#[derive(Debug, Clone, Copy)]
struct NetworkPair {
    mentee: u32,
    mentor: u32,
    arc: usize,
}

/// Numbers of nodes: the root is 0, then groups of mentees, groups of mentors, mentees, mentors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    mentee_groups: usize,
    mentor_groups: usize,
    mentees: usize,
    mentors: usize,
}

impl Nodes {
    /// The root.
    pub(super) const ROOT: u32 = 0;

    fn of(problem: &Problem<'_>, quotas: &Quotas) -> Self {
        Self {
            mentee_groups: quotas.mentees.groups().len(),
            mentor_groups: quotas.mentors.groups().len(),
            mentees: problem.mentees.len(),
            mentors: problem.mentors.len(),
        }
    }

    fn mentee_group(_: Self, group: Option<u32>) -> u32 {
        group.map_or(Self::ROOT, |group| 1 + group)
    }

    fn mentor_group(self, group: Option<u32>) -> u32 {
        group.map_or(Self::ROOT, |group| index(1 + self.mentee_groups) + group)
    }

    /// The node of a mentee.
    pub(super) fn mentee(self, mentee: usize) -> u32 {
        index(1 + self.mentee_groups + self.mentor_groups + mentee)
    }

    /// The node of a mentor.
    pub(super) fn mentor(self, mentor: usize) -> u32 {
        index(1 + self.mentee_groups + self.mentor_groups + self.mentees + mentor)
    }

    fn len(self) -> usize {
        1 + self.mentee_groups + self.mentor_groups + self.mentees + self.mentors
    }

    /// Splits an array over all nodes: root, groups of mentees, groups of mentors, mentees, mentors.
    pub(super) fn split<T>(self, of_nodes: &[T]) -> [&[T]; 5] {
        let (root, rest) = of_nodes.split_at(1);
        let (mentee_groups, rest) = rest.split_at(self.mentee_groups);
        let (mentor_groups, rest) = rest.split_at(self.mentor_groups);
        let (mentees, mentors) = rest.split_at(self.mentees);
        [root, mentee_groups, mentor_groups, mentees, mentors]
    }
}

/// The network of a problem, with a flow.
#[derive(Debug)]
pub(super) struct Network<W> {
    /// The flow.
    pub(super) flow: Flow<W>,
    /// The numbers of the nodes.
    pub(super) nodes: Nodes,
    pairs: Vec<NetworkPair>,
    /// Arcs of the places of each mentee.
    places: Vec<Vec<usize>>,
}

impl<W: PriceInteger> Network<W> {
    /// The network with the flow and the prices of an assignment that is optimal without quotas. Groups below their floors or
    /// above their ceilings are unbalanced.
    pub(super) fn new(
        problem: &Problem<'_>,
        quotas: &Quotas,
        pairs: &[(u32, u32)],
        certificate: &Certificate,
        poll: &mut StopPoll<'_>,
    ) -> Result<Self, Stopped> {
        let nodes = Nodes::of(problem, quotas);
        let mut pi = vec![W::default(); nodes.len()];
        for (mentee, &u) in certificate.mentee_prices.iter().enumerate() {
            pi[nodes.mentee(mentee) as usize] = W::saturating_from(u);
        }
        for (mentor, &p) in certificate.mentor_prices.iter().enumerate() {
            pi[nodes.mentor(mentor) as usize] = W::saturating_from(-p);
        }
        let mut this =
            Self { flow: Flow::new(pi), nodes, pairs: Vec::new(), places: vec![Vec::new(); nodes.mentees] };
        let mut of_mentee = vec![0_u32; nodes.mentees];
        let mut of_mentor = vec![0_u32; nodes.mentors];
        for &(mentee, mentor) in pairs {
            of_mentee[mentee as usize] += 1;
            of_mentor[mentor as usize] += 1;
        }
        this.add_mentees(problem, &quotas.mentees, certificate, &of_mentee, poll)?;
        this.add_mentors(problem, &quotas.mentors, certificate, &of_mentor, poll)?;
        for &(mentee, mentor) in pairs {
            poll.count(ADDING)?;
            let score = problem.scores.score(mentee as usize, mentor as usize).unwrap_or_default();
            this.add_pair(mentee, Edge { to: mentor, score }, true);
        }
        let counts = quotas.mentees.count(of_mentee);
        this.add_groups(&quotas.mentees, &counts, Nodes::mentee_group, false);
        let counts = quotas.mentors.count(of_mentor);
        this.add_groups(&quotas.mentors, &counts, Nodes::mentor_group, true);
        Ok(this)
    }

    fn add_mentees(
        &mut self,
        problem: &Problem<'_>,
        forest: &Forest,
        certificate: &Certificate,
        has: &[u32],
        poll: &mut StopPoll<'_>,
    ) -> Result<(), Stopped> {
        for (mentee, demand) in problem.mentees.iter().enumerate() {
            poll.count(ADDING)?;
            let from = Nodes::mentee_group(self.nodes, forest.innermost(mentee));
            let tier = certificate.tiers.iter().find(|entry| entry.tier == demand.tier);
            let first =
                if demand.pinned > 0 { Some(certificate.second) } else { tier.map(|entry| entry.weight) };
            let bonuses = [first.unwrap_or_default(), certificate.second];
            for (place, bonus) in (0..u32::from(demand.wanted.min(2))).zip(bonuses) {
                let used = u32::from(has[mentee] > place);
                let arc = self.flow.add(
                    (from, self.nodes.mentee(mentee)),
                    W::saturating_from(-bonus),
                    1 - used,
                    used,
                );
                self.places[mentee].push(arc);
            }
        }
        Ok(())
    }

    fn add_mentors(
        &mut self,
        problem: &Problem<'_>,
        forest: &Forest,
        certificate: &Certificate,
        has: &[u32],
        poll: &mut StopPoll<'_>,
    ) -> Result<(), Stopped> {
        for (mentor, seats) in problem.mentors.iter().enumerate() {
            poll.count(ADDING)?;
            let to = self.nodes.mentor_group(forest.innermost(mentor));
            let min = seats.min.min(seats.max);
            let (of_min, others) = (has[mentor].min(min), has[mentor].saturating_sub(min));
            let parts = [(certificate.minimum, of_min, min - of_min), (0, others, seats.max - min - others)];
            for (bonus, less, more) in parts.into_iter().filter(|(_, less, more)| less + more > 0) {
                self.flow.add((self.nodes.mentor(mentor), to), W::saturating_from(-bonus), more, less);
            }
        }
        Ok(())
    }

    fn add_groups(
        &mut self,
        forest: &Forest,
        counts: &[u64],
        node: impl Fn(Nodes, Option<u32>) -> u32,
        upwards: bool,
    ) {
        for ((at, group), &count) in (0_u32..).zip(forest.groups()).zip(counts) {
            let (own, parent) = (node(self.nodes, Some(at)), node(self.nodes, group.parent));
            let (from, to) = if upwards { (own, parent) } else { (parent, own) };
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let kept = count.clamp(group.floor, group.ceiling);
            self.flow.add((from, to), W::default(), group.ceiling - kept, kept - group.floor);
            if kept > count {
                self.flow.shift_balance(to, from, kept - count);
            } else {
                self.flow.shift_balance(from, to, count - kept);
            }
        }
    }

    fn add_pair(&mut self, mentee: u32, edge: Edge, used: bool) {
        let ends = (self.nodes.mentee(mentee as usize), self.nodes.mentor(edge.to as usize));
        let at = self.flow.add(ends, -W::from(edge.score), u32::from(!used), u32::from(used));
        self.pairs.push(NetworkPair { mentee, mentor: edge.to, arc: at });
    }

    /// Admits pairs that are not in the network, given by mentee. If a pair offers a mentee more than its price, the price
    /// rises to that value.
    pub(super) fn admit(&mut self, added: &[Vec<Edge>], poll: &mut StopPoll<'_>) -> Result<(), Stopped> {
        let mut in_use = self.places.clone();
        for pair in self.pairs.iter().filter(|pair| self.flow.used(pair.arc) > 0) {
            poll.count(ADDING)?;
            in_use[pair.mentee as usize].push(pair.arc);
        }
        for ((mentee, added), in_use) in (0_u32..).zip(added).zip(in_use) {
            poll.count(ADDING * added.len())?;
            let node = self.nodes.mentee(mentee as usize);
            let mut highest = self.flow.pi[node as usize];
            for &edge in added {
                self.add_pair(mentee, edge, false);
                let mentor = self.nodes.mentor(edge.to as usize) as usize;
                highest = highest.max(W::from(edge.score) + self.flow.pi[mentor]);
            }
            let rise = highest - self.flow.pi[node as usize];
            if rise > W::default() {
                self.flow.raise(node, rise, &in_use);
            }
        }
        Ok(())
    }

    /// The pairs with flow, sorted.
    pub(super) fn pairs_in_use(&self) -> Vec<(u32, u32)> {
        let used = self.pairs.par_iter().filter(|pair| self.flow.used(pair.arc) > 0);
        let mut pairs: Vec<(u32, u32)> = used.map(|pair| (pair.mentee, pair.mentor)).collect();
        pairs.par_sort_unstable();
        pairs
    }

    /// The mentors of each mentee.
    pub(super) fn mentors_of_mentees(&self) -> Vec<Vec<u32>> {
        let mut mentors_of = vec![Vec::new(); self.nodes.mentees];
        for (mentee, mentor) in self.pairs_in_use() {
            mentors_of[mentee as usize].push(mentor);
        }
        mentors_of
    }

    /// Prices of mentees and of mentors relative to the root; [`PriceInteger::INFINITE`] for a person without places.
    pub(super) fn prices(&self, problem: &Problem<'_>) -> (Vec<W>, Vec<W>) {
        let [root, .., mentees, mentors] = self.nodes.split(&self.flow.pi);
        let u = mentees.iter().zip(problem.mentees);
        let p = mentors.iter().zip(problem.mentors);
        (
            u.map(|(&pi, demand)| if demand.wanted > 0 { pi - root[0] } else { W::INFINITE }).collect(),
            p.map(|(&pi, seats)| if seats.max > 0 { root[0] - pi } else { W::INFINITE }).collect(),
        )
    }

    /// Changes prices so that pricing finds only pairs that lead out of the nodes that the last search settled.
    pub(super) fn restrict_to_leaving(&self, u: &mut [W], p: &mut [W]) {
        for (mentee, u) in u.iter_mut().enumerate() {
            let reached = self.flow.was_settled(self.nodes.mentee(mentee));
            *u = if reached && *u != W::INFINITE { W::LOWEST_VALUE } else { W::INFINITE };
        }
        for (mentor, p) in p.iter_mut().enumerate() {
            if self.flow.was_settled(self.nodes.mentor(mentor)) {
                *p = W::INFINITE;
            }
        }
    }

    /// Number of pairs in the network.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The certificate of an optimal flow: `before` with the present prices.
    pub(super) fn certificate(
        &self,
        problem: &Problem<'_>,
        quotas: &Quotas,
        before: Certificate,
    ) -> Certificate {
        let [root, mentee_groups, mentor_groups, ..] = self.nodes.split(&self.flow.pi);
        let root = root[0];
        let (u, p) = self.prices(problem);
        // The price of a person without places exceeds every offer, and adds nothing to the bound.
        let least = |prices: &[W]| prices.iter().copied().min().map_or(0, Into::into).min(0_i128);
        let (free_u, free_p) = (i128::from(i32::MAX) - least(&p), i128::from(i32::MAX) - least(&u));
        let widen = |prices: &[W], free: i128| -> Vec<i128> {
            prices.iter().map(|&price| if price == W::INFINITE { free } else { price.into() }).collect()
        };
        let steps = |forest: &Forest, prices: &[W], sign: fn(W) -> W| -> Vec<i128> {
            let step = |(at, parent): (usize, Option<u32>)| {
                let above = parent.map_or(root, |parent| prices[parent as usize]);
                sign(prices[at] - above).into()
            };
            forest.groups().iter().map(|group| group.parent).enumerate().map(step).collect()
        };
        Certificate {
            mentee_prices: widen(&u, free_u),
            mentor_prices: widen(&p, free_p),
            mentee_group_prices: steps(&quotas.mentees, mentee_groups, |price| price),
            mentor_group_prices: steps(&quotas.mentors, mentor_groups, |price| -price),
            ..before
        }
    }
}
