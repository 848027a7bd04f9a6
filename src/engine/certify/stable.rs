//! Counts the blocking pairs of an assignment: who would both rather be with each other.

use rayon::prelude::*;

use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

/// Mentees looked at together.
const ROWS: usize = 16;
/// Mentors looked at together.
const COLUMNS: usize = 2048;

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
    let blocks =
        |at: usize, to: usize, hers: i32, theirs: i32| hers > mentee_bar[at] && theirs > mentor_bar[to];
    let mates = pairs.iter().filter(|&&(mentee, mentor)| {
        let (at, to) = (mentee as usize, mentor as usize);
        mentees_view.score(at, to).zip(mentors_like.score(at, to)).is_some_and(|(a, b)| blocks(at, to, a, b))
    });
    let mates = mates.count() as u64;
    let of_rows = |room: &mut (Vec<i32>, Vec<i32>), block: usize| {
        let rows = block * ROWS..problem.mentees.len().min((block + 1) * ROWS);
        let mut found = 0;
        if let Some(listed) = mentees_view.listed() {
            for at in rows {
                let better = listed.row(at).iter().take_while(|arc| arc.score > mentee_bar[at]);
                let found_here = better.filter(|arc| {
                    let to = arc.to as usize;
                    let theirs = mentors_view.map_or(Some(arc.score), |view| view.score(at, to));
                    theirs.is_some_and(|theirs| blocks(at, to, arc.score, theirs))
                });
                found += found_here.count() as u64;
            }
            return if observer.is_cancelled() { Err(Stopped) } else { Ok(found) };
        }
        let (hers, theirs) = room;
        for first in (0..problem.mentors.len()).step_by(COLUMNS) {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            let columns = first..problem.mentors.len().min(first + COLUMNS);
            hers.resize(rows.len() * columns.len(), FORBIDDEN);
            mentees_view.tile(rows.clone(), columns.clone(), hers);
            if let Some(view) = mentors_view {
                theirs.resize(hers.len(), FORBIDDEN);
                view.tile(rows.clone(), columns.clone(), theirs);
            }
            let theirs = if mentors_view.is_some() { &*theirs } else { &*hers };
            let width = columns.len();
            let bars = &mentor_bar[columns];
            for ((hers, theirs), bar) in
                hers.chunks_exact(width).zip(theirs.chunks_exact(width)).zip(&mentee_bar[rows.clone()])
            {
                // A plain loop without a branch: that is what becomes vector code. No score is below a bar of
                // FORBIDDEN, and a pair that is no candidate is above none.
                let each = hers.iter().zip(theirs).zip(bars);
                let count: u32 = each.map(|((a, b), to)| u32::from(a > bar) & u32::from(b > to)).sum();
                found += u64::from(count);
            }
        }
        Ok(found)
    };
    let all: u64 = (0..problem.mentees.len().div_ceil(ROWS))
        .into_par_iter()
        .map_init(Default::default, of_rows)
        .try_reduce(|| 0, |one, other| Ok(one + other))?;
    Ok(all - mates)
}
