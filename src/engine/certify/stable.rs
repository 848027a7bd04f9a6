//! Counts the blocking pairs of an assignment: who would both rather be with each other.

use std::ops::Range;

use rayon::prelude::*;

use crate::engine::problem::{FORBIDDEN, Observer, PairScores, Problem, Stopped};

/// Mentees looked at together.
const ROWS: usize = 16;
/// Mentors looked at together in 16 bits; fewer in 32.
const COLUMNS: usize = 16_384;

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
    let bars = Bars { mentees: &mentee_bar, mentors: &mentor_bar };
    let all = if let Some(listed) = mentees_view.listed() {
        let of_row = |at: usize| {
            let better = listed.row(at).iter().take_while(|arc| arc.score > mentee_bar[at]);
            let found = better.filter(|arc| {
                let to = arc.to as usize;
                let theirs = mentors_view.map_or(Some(arc.score), |view| view.score(at, to));
                theirs.is_some_and(|theirs| blocks(at, to, arc.score, theirs))
            });
            if observer.is_cancelled() { Err(Stopped) } else { Ok(found.count() as u64) }
        };
        let counted = (0..problem.mentees.len()).into_par_iter().with_min_len(ROWS).map(of_row);
        counted.try_reduce(|| 0, |one, other| Ok(one + other))?
    } else if let (Some(narrow), None) = (mentees_view.narrow(), mentors_view) {
        // A pair that is no candidate is below 0, and so above no bar.
        let cut = |bar: &i32| i16::try_from((*bar).max(-1)).unwrap_or(i16::MAX);
        bars.count(COLUMNS, cut, observer, |rows, columns, hers: &mut Vec<i16>, _| {
            narrow.tile(rows, columns, hers);
        })?
    } else {
        bars.count(
            COLUMNS / 4,
            |bar| *bar,
            observer,
            |rows, columns, hers: &mut Vec<i32>, theirs| {
                mentees_view.tile(rows.clone(), columns.clone(), hers);
                if let Some(view) = mentors_view {
                    theirs.resize(hers.len(), FORBIDDEN);
                    view.tile(rows, columns, theirs);
                }
            },
        )?
    };
    Ok(all - mates)
}

/// What everybody must be offered more than.
struct Bars<'a> {
    mentees: &'a [i32],
    mentors: &'a [i32],
}

impl Bars<'_> {
    /// Counts the pairs above both bars. `fill` writes what mentees think of a tile, and what mentors think of it unless
    /// they think the same.
    fn count<C: Copy + Default + Ord + Send + Sync>(
        &self,
        most_columns: usize,
        cut: impl Fn(&i32) -> C,
        observer: &dyn Observer,
        fill: impl Fn(Range<usize>, Range<usize>, &mut Vec<C>, &mut Vec<C>) + Sync,
    ) -> Result<u64, Stopped> {
        let mentees: Vec<C> = self.mentees.iter().map(&cut).collect();
        let mentors: Vec<C> = self.mentors.iter().map(&cut).collect();
        let of_rows = |(hers, theirs): &mut (Vec<C>, Vec<C>), block: usize| {
            let rows = block * ROWS..mentees.len().min((block + 1) * ROWS);
            let mut found = 0;
            for first in (0..mentors.len()).step_by(most_columns) {
                if observer.is_cancelled() {
                    return Err(Stopped);
                }
                let columns = first..mentors.len().min(first + most_columns);
                let width = columns.len();
                hers.resize(rows.len() * width, C::default());
                fill(rows.clone(), columns.clone(), hers, theirs);
                let theirs = if theirs.is_empty() { &*hers } else { &*theirs };
                let both = hers.chunks_exact(width).zip(theirs.chunks_exact(width));
                for ((hers, theirs), bar) in both.zip(&mentees[rows.clone()]) {
                    // A plain loop without a branch: that is what becomes vector code.
                    let each = hers.iter().zip(theirs).zip(&mentors[columns.clone()]);
                    let count: u32 = each.map(|((a, b), to)| u32::from(a > bar) & u32::from(b > to)).sum();
                    found += u64::from(count);
                }
            }
            Ok(found)
        };
        (0..mentees.len().div_ceil(ROWS))
            .into_par_iter()
            .map_init(Default::default, of_rows)
            .try_reduce(|| 0, |one, other| Ok(one + other))
    }
}
