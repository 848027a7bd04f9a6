//! Graph structures that the solvers share: compressed sparse rows, the radix heap, and labels of shortest-path searches.
//!
//! A node is a position. Lengths are integers of the type with which a solver computes prices.

mod csr;
mod queue;
mod shortest_paths;

pub(super) use self::csr::{Csr, blank, counting_sort};
pub(super) use self::queue::RadixHeap;
pub(super) use self::shortest_paths::Labels;
