//! Branch and bound, the open node of the highest bound first (Land and Doig 1960).
//!
//! The caller defines nodes, bounds and the incumbent by [`BranchAndBound`]; the order of the nodes is the order of
//! their bounds. Used by [`repair`](super::repair), [`directions`](super::directions) and
//! [`limited`](super::limited), whose bounds are Lagrange relaxations.

use std::collections::BinaryHeap;

/// A problem that is solved by branch and bound.
pub(super) trait BranchAndBound {
    /// A part of the solutions. The greatest node has the highest bound.
    type Node: Ord;
    /// Why the search fails.
    type Error;

    /// Whether the best solution found so far is at least as good as the bound of a node.
    fn incumbent_reaches(&self, node: &Self::Node) -> bool;

    /// Stores the solutions that the relaxation of a node gives, and divides the node.
    fn branch(&mut self, node: &Self::Node) -> Result<Branching<Self::Node>, Self::Error>;
}

/// What division of a node gives.
pub(super) enum Branching<N> {
    /// Parts of the node that may contain a better solution. Their bounds do not exceed the bound of the node.
    Children(Vec<N>),
    /// The node cannot be divided, or the limit of the search is reached.
    Unfinished,
}

/// Divides nodes until the incumbent reaches the highest bound that is left. Returns the node that still has that bound if
/// the search ends before: then the bound of this node is a bound of the problem.
pub(super) fn best_bound_first<P: BranchAndBound>(
    problem: &mut P,
    root: Option<P::Node>,
) -> Result<Option<P::Node>, P::Error> {
    let mut open: BinaryHeap<P::Node> = root.into_iter().collect();
    while let Some(node) = open.pop() {
        if problem.incumbent_reaches(&node) {
            return Ok(None);
        }
        match problem.branch(&node)? {
            Branching::Children(children) => open.extend(children),
            Branching::Unfinished => return Ok(Some(node)),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A knapsack: the greatest value of items within a weight. A node decides the first items; its bound takes all others.
    struct Knapsack {
        items: Vec<(u32, u32)>,
        most: u32,
        best: u32,
        left: usize,
    }

    impl BranchAndBound for Knapsack {
        /// Bound, weight and items decided.
        type Node = (u32, u32, usize);
        type Error = Infallible;

        fn incumbent_reaches(&self, node: &Self::Node) -> bool {
            self.best >= node.0
        }

        fn branch(
            &mut self,
            &(bound, weight, decided): &Self::Node,
        ) -> Result<Branching<Self::Node>, Infallible> {
            let Some(left) = self.left.checked_sub(1) else { return Ok(Branching::Unfinished) };
            self.left = left;
            let Some(&(value, more)) = self.items.get(decided) else {
                self.best = bound;
                return Ok(Branching::Children(Vec::new()));
            };
            let mut children = vec![(bound - value, weight, decided + 1)];
            if weight + more <= self.most {
                children.push((bound, weight + more, decided + 1));
            }
            Ok(Branching::Children(children))
        }
    }

    proptest! {
        #[test]
        fn a_search_finds_the_optimum_and_one_that_is_cut_short_an_upper_bound(
            items in vec((0..9_u32, 0..9_u32), 0..9), most in 0..30_u32, left in prop_oneof![0..9_usize, Just(usize::MAX)],
        ) {
            let chosen = |set: u32| (0_u32..).zip(&items).filter(move |(at, _)| set >> at & 1 == 1).map(|(_, item)| *item);
            let fits = |set: &u32| chosen(*set).map(|item| item.1).sum::<u32>() <= most;
            let optimum = (0..1 << items.len()).filter(fits).map(|set| chosen(set).map(|item| item.0).sum::<u32>()).max();
            let root = (items.iter().map(|item| item.0).sum(), 0, 0);
            let mut knapsack = Knapsack { items: items.clone(), most, best: 0, left };
            match best_bound_first(&mut knapsack, Some(root)).unwrap() {
                None => prop_assert_eq!(Some(knapsack.best), optimum),
                Some((bound, ..)) => prop_assert!(left != usize::MAX && Some(bound) >= optimum),
            }
        }
    }
}
