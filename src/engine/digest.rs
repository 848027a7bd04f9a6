//! Digests of a run: SHA-256 of JSON that is written in parallel, part by part, and hashed in its order.
//!
//! Input: the snapshot and the outcome of a run. Output: the [`Digests`](crate::domain::run::Digests).
//! Invariants: the hashed bytes are those of one sequential JSON text, whatever the number of threads. The text of a match is
//! written once for all digests. No list is held as a whole text: memory is bounded by [`ITEMS_AT_A_TIME`] items.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::pool;
use super::solution::Evidence;
use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::snapshot::{Participant, Snapshot};

/// Items that are written while the items before them are hashed: few, so that their texts use the same memory again.
const ITEMS_AT_A_TIME: usize = 512;
/// Items of one task.
const ITEMS_PER_TASK: usize = 32;
/// Bytes of a task's text at first: a match takes some 1,500.
const TEXT_BYTES: usize = ITEMS_PER_TASK * 2_048;

/// Everything of a result that a digest covers.
pub(super) struct ResultParts<'a> {
    pub(super) matches: &'a [Match],
    pub(super) unmatched: &'a [Unmatched],
    /// The summary without its times.
    pub(super) summary: RunSummary,
    pub(super) unmatched_for_managers: &'a [Unmatched],
    pub(super) summaries: &'a BTreeMap<OrganisationId, RunSummary>,
    pub(super) evidence: &'a Evidence,
}

/// SHA-256 in hexadecimal of the matches, the unmatched and the summary, and of the whole result: the JSON of
/// `(matches, unmatched, summary)`, and of `(that, unmatched_for_managers, summaries, evidence)`.
pub(super) fn of_result(parts: &ResultParts<'_>) -> [String; 2] {
    pool::on_threads(None, || {
        let (open, mut whole) = (Sha256::new(), Sha256::new());
        whole.update(b"[");
        let mut both = [open, whole];
        update(&mut both, b"[");
        hash_list(parts.matches, &mut both);
        update(&mut both, b",");
        hash_list(parts.unmatched, &mut both);
        update(&mut both, b",");
        update(&mut both, &json(&parts.summary));
        update(&mut both, b"]");
        let [open, whole] = both;
        let mut whole = [whole];
        update(&mut whole, b",");
        hash_list(parts.unmatched_for_managers, &mut whole);
        let [mut whole] = whole;
        for part in [json(parts.summaries), json(parts.evidence)] {
            whole.update(b",");
            whole.update(part);
        }
        whole.update(b"]");
        [open, whole].map(|hash| hex::encode(hash.finalize()))
    })
}

/// SHA-256 in hexadecimal of the open answers of a sorted snapshot: of [`Snapshot::open_head`] and the lines of everyone.
pub(super) fn of_open_input(snapshot: &Snapshot) -> String {
    pool::on_threads(None, || {
        let mut hash = [Sha256::new_with_prefix(snapshot.open_head())];
        let line = |person: &Participant, text: &mut Vec<u8>| text.extend(snapshot.open_line(person));
        hash_in_order(&snapshot.participants, line, &mut hash, 0);
        let [hash] = hash;
        hex::encode(hash.finalize())
    })
}

/// Hashes a list as JSON.
fn hash_list<T: Serialize + Sync>(items: &[T], hashes: &mut [Sha256]) {
    update(hashes, b"[");
    let after_comma = |item: &T, text: &mut Vec<u8>| {
        text.push(b',');
        write_json(item, text);
    };
    hash_in_order(items, after_comma, hashes, 1);
    update(hashes, b"]");
}

/// Hashes the texts of items in order, without the first `skipped` bytes. Some items are written while the texts before them
/// are hashed.
fn hash_in_order<T: Sync>(
    items: &[T],
    write: impl Fn(&T, &mut Vec<u8>) + Sync,
    hashes: &mut [Sha256],
    mut skipped: usize,
) {
    let task = |items: &[T]| {
        let mut text = Vec::with_capacity(TEXT_BYTES);
        for item in items {
            write(item, &mut text);
        }
        text
    };
    let texts = |items: &[T]| items.par_chunks(ITEMS_PER_TASK).map(task).collect::<Vec<Vec<u8>>>();
    let mut blocks = items.chunks(ITEMS_AT_A_TIME);
    let mut ready = blocks.next().map(texts);
    while let Some(some) = ready {
        let next = blocks.next();
        let hash_all = || {
            hashes.par_iter_mut().for_each(|hash| {
                let mut skipped = skipped;
                for text in &some {
                    hash.update(&text[std::mem::take(&mut skipped)..]);
                }
            });
        };
        ready = rayon::join(|| next.map(texts), hash_all).0;
        skipped = 0;
    }
}

fn update(hashes: &mut [Sha256], bytes: &[u8]) {
    for hash in hashes {
        hash.update(bytes);
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    write_json(value, &mut text);
    text
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn write_json(value: &impl Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, value).expect("plain data serialises");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_hashed_as_its_json_whatever_its_length() {
        let tails = [0, 1, 2, ITEMS_PER_TASK, ITEMS_AT_A_TIME - 1, ITEMS_AT_A_TIME, 2 * ITEMS_AT_A_TIME + 65];
        for length in tails {
            let list: Vec<(usize, String)> = (0..length).map(|at| (at, "\"text\"".repeat(at % 7))).collect();
            let mut hashes = [Sha256::new(), Sha256::new_with_prefix(b"before")];
            hash_list(&list, &mut hashes);
            let text = serde_json::to_vec(&list).expect("serialises");
            let expected =
                [Sha256::new_with_prefix(&text), Sha256::new_with_prefix(b"before").chain_update(&text)];
            let hex = |hashes: [Sha256; 2]| hashes.map(|hash| hex::encode(hash.finalize()));
            assert_eq!(hex(hashes), hex(expected), "{length}");
        }
    }
}
