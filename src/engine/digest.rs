//! Digests of a run: roots over salted leaves, which are made in parallel.
//!
//! Input: the snapshot, the seals of its people and the outcome of a run. Output: the
//! [`Digests`].
//! Invariants: the digests depend neither on the number of threads nor on the order of the lists. What is about one person or
//! one pair is a leaf; a head holds counts alone. A list is never held as a text.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::pool;
use crate::domain::leaf::{Leaf, Part, Salts, Seals, root};
use crate::domain::name::OrganisationId;
use crate::domain::run::{Digests, Match, RunSummary, Unmatched, WholeRound};
use crate::domain::snapshot::Snapshot;

/// Items of one task.
const ITEMS_PER_TASK: usize = 32;

/// Everything of a result that its digests cover.
#[derive(Debug)]
pub struct ResultParts<'a> {
    /// The matches.
    pub matches: &'a [Match],
    /// The people without a match, as coordinators read it.
    pub unmatched: &'a [Unmatched],
    /// The same people as managers read it.
    pub unmatched_for_managers: &'a [Unmatched],
    /// The numbers for coordinators.
    pub summary: &'a RunSummary,
    /// The numbers for managers.
    pub summaries: &'a BTreeMap<OrganisationId, RunSummary>,
    /// The certificate as stored; `None` if it was destroyed with the first person who was erased.
    pub certificate: Option<&'a [u8]>,
}

/// The digests of a run over `snapshot` with this result, without its times. The one of the whole result contains private
/// points through the certificate, and never leaves the service; the others cover what coordinators read.
pub fn digests(parts: &ResultParts<'_>, snapshot: &Snapshot, seals: &Seals) -> Digests {
    let salts = seals.by_person(snapshot.participants.iter().map(|person| &person.profile));
    let [open_result, whole_result] = pool::on_threads(None, || of_result(parts, &salts, seals));
    Digests { open_input: of_open_input(snapshot, seals), open_result, whole_result }
}

/// The root over the matches, the unmatched and the summary, and the root over the whole result, which covers the first.
fn of_result(parts: &ResultParts<'_>, salts: &Salts<'_>, seals: &Seals) -> [String; 2] {
    let of_unmatched =
        |part, entries: &[Unmatched]| of_list(entries, |entry, text| salts.of_unmatched(part, entry, text));
    let of_below = |part, summary: &RunSummary| {
        of_list(&summary.below_minimum, |entry, text| salts.of_below_minimum(part, entry, text))
    };
    let destroyed = |parts: [Part; 3]| parts.into_iter().flat_map(|part| seals.destroyed_of(part));

    let mut leaves = of_list(parts.matches, |pair, text| salts.of_match(pair, text));
    leaves.extend(of_unmatched(Part::Unmatched, parts.unmatched));
    leaves.extend(of_below(Part::BelowMinimum, parts.summary));
    leaves.extend(destroyed([Part::Match, Part::Unmatched, Part::BelowMinimum]));
    let open = root(&json(&head_of(parts.summary)), leaves);

    let mut leaves = of_unmatched(Part::OwnUnmatched, parts.unmatched_for_managers);
    for summary in parts.summaries.values() {
        leaves.extend(of_below(Part::OwnBelowMinimum, summary));
    }
    leaves.extend(parts.certificate.map(|certificate| seals.of_everybody(certificate)));
    leaves.extend(destroyed([Part::OwnUnmatched, Part::OwnBelowMinimum, Part::Certificate]));
    let heads: Vec<_> = parts.summaries.iter().map(|(id, summary)| (id, head_of(summary))).collect();
    [open.clone(), root(&json(&(open, heads)), leaves)]
}

/// A summary without its times, without the groups of reports and without the people whom it names.
fn head_of(summary: &RunSummary) -> RunSummary {
    let whole_round = summary.whole_round.clone();
    let whole_round =
        whole_round.map(|whole| WholeRound { stage_micros: Vec::new(), groups: Vec::new(), ..whole });
    RunSummary { whole_round, below_minimum: Vec::new(), ..summary.clone() }
}

/// The root over the open answers of a sorted snapshot: [`Snapshot::open_head`], an open leaf of everyone, and the
/// leaves of the decisions.
fn of_open_input(snapshot: &Snapshot, seals: &Seals) -> String {
    pool::on_threads(None, || {
        let people = snapshot.participants.par_iter().with_min_len(ITEMS_PER_TASK).zip(&seals.salts);
        let mut leaves: Vec<Leaf> = people.map(|(person, salt)| snapshot.open_leaf(person, *salt)).collect();
        leaves.extend(snapshot.decision_leaves(seals));
        leaves.extend(seals.destroyed_of(Part::OpenInput));
        root(&snapshot.open_head(), leaves)
    })
}

/// The leaves of a list, without those whose people were erased.
fn of_list<T: Sync>(items: &[T], leaf: impl Fn(&T, &mut Vec<u8>) -> Option<Leaf> + Sync) -> Vec<Leaf> {
    let task = |items: &[T]| {
        let mut text = Vec::new();
        items.iter().filter_map(|item| leaf(item, &mut text)).collect::<Vec<Leaf>>()
    };
    items.par_chunks(ITEMS_PER_TASK).flat_map_iter(task).collect()
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}
