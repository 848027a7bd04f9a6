//! Counts the blocking pairs of an assignment: who would both rather be with each other.

use rayon::prelude::*;

use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

/// Mentors looked at together.
const COLUMNS: usize = 4096;

/// Candidates that are not matched with each other although both would gain: each has a place left, or likes the other
/// strictly better than the worst she has. Both sides rank by their own scores; equal scores block nothing. For any
/// assignment, stable or not.
pub fn blocking_pairs(
    problem: &Problem<'_>,
    mentees_view: &dyn PairScores,
    mentors_view: Option<&dyn PairScores>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<u64, Stopped> {
    let mentors_like = mentors_view.unwrap_or(mentees_view);
    // What somebody must exceed to be welcome; with a place left, any candidate is.
    let mut mentee_bar = vec![i32::MAX; problem.mentees.len()];
    let mut mentor_bar = vec![i32::MAX; problem.mentors.len()];
    let mut mentors_of = vec![0_u32; problem.mentees.len()];
    let mut load = vec![0_u32; problem.mentors.len()];
    for &(mentee, mentor) in pairs {
        let (at, to) = (mentee as usize, mentor as usize);
        mentors_of[at] += 1;
        load[to] += 1;
        mentee_bar[at] = mentee_bar[at].min(mentees_view.score(at, to).unwrap_or(FORBIDDEN));
        mentor_bar[to] = mentor_bar[to].min(mentors_like.score(at, to).unwrap_or(FORBIDDEN));
    }
    for ((bar, demand), has) in mentee_bar.iter_mut().zip(problem.mentees).zip(&mentors_of) {
        if *has < u32::from(demand.wanted.min(2)) {
            *bar = FORBIDDEN;
        }
    }
    for ((bar, seats), load) in mentor_bar.iter_mut().zip(problem.mentors).zip(&load) {
        if *load < seats.max {
            *bar = FORBIDDEN;
        }
    }
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let are_mates = |mentee: usize, mentor: usize| {
        let pair = (u32::try_from(mentee).unwrap_or(u32::MAX), u32::try_from(mentor).unwrap_or(u32::MAX));
        sorted.binary_search(&pair).is_ok()
    };
    let blocks = |at: usize, to: usize, hers: i32, other: i32| {
        hers != FORBIDDEN
            && other != FORBIDDEN
            && hers > mentee_bar[at]
            && other > mentor_bar[to]
            && !are_mates(at, to)
    };
    let of_row = |room: &mut (Vec<i32>, Vec<i32>), at: usize| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        if let Some(listed) = mentees_view.listed() {
            let row = listed.row(at).iter();
            let better = row.take_while(|arc| arc.score > mentee_bar[at]);
            let found = better.filter(|arc| {
                let to = arc.to as usize;
                let other = mentors_view.map_or(Some(arc.score), |view| view.score(at, to));
                other.is_some_and(|other| blocks(at, to, arc.score, other))
            });
            return Ok(found.count() as u64);
        }
        let mut found = 0;
        let (hers, others) = room;
        for first in (0..problem.mentors.len()).step_by(COLUMNS) {
            let columns = first..problem.mentors.len().min(first + COLUMNS);
            hers.resize(columns.len(), FORBIDDEN);
            mentees_view.tile(at..at + 1, columns.clone(), hers);
            if let Some(view) = mentors_view {
                others.resize(columns.len(), FORBIDDEN);
                view.tile(at..at + 1, columns.clone(), others);
            }
            let others = if mentors_view.is_some() { &*others } else { &*hers };
            let each = columns.zip(hers.iter().zip(others));
            found += each.filter(|(to, (hers, other))| blocks(at, *to, **hers, **other)).count() as u64;
        }
        Ok(found)
    };
    (0..problem.mentees.len())
        .into_par_iter()
        .map_init(Default::default, of_row)
        .try_reduce(|| 0, |one, other| Ok(one + other))
}
