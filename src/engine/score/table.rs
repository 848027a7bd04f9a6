//! An aspect with the answers of everyone: equal answers are one class, so the dense pass judges classes and looks the
//! verdicts up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::ops::Range;

use ndarray::Array2;
use rayon::prelude::*;

use super::aspect::{Aspect, Story};
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;

/// Most verdicts that are kept per aspect: 16 MiB.
const MOST_CELLS: usize = 1 << 22;
/// Most classes that a `u16` names.
const MOST_CLASSES: usize = 1 << 16;
/// Where verdicts are not kept, classes pay off below one per this many people.
const PEOPLE_PER_CLASS: usize = 8;

/// The verdicts of one aspect for all pairs.
pub(in crate::engine) trait Lookup: Send + Sync {
    /// The mentors by class.
    fn mentor_classes(&self) -> Classes<'_>;

    /// The verdict of one pair.
    fn pair(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict;

    /// The verdicts of one mentee with each mentor class of a range, where nobody is tied: those that are kept, or computed
    /// into `room`.
    fn row<'s>(&'s self, mentee: usize, classes: Range<usize>, room: &'s mut Vec<Verdict>) -> &'s [Verdict];

    /// The verdict of one pair with its reasons.
    fn explain(&self, mentee: usize, mentor: usize, ties: Ties, story: &mut Story);
}

/// Which class everyone of a side is in.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Classes<'a> {
    /// Everyone is a class of her own, in the side's order.
    Own,
    /// Number of classes, and the class of everyone.
    Shared(usize, &'a [u16]),
}

/// An aspect with the answers of both sides.
pub(in crate::engine) struct Table<A: Aspect> {
    aspect: A,
    mentees: Side<A::Mentee>,
    mentors: Side<A::Mentor>,
    /// Verdicts of untied pairs, by class of mentee and class of mentor; only if there are few.
    cells: Option<Array2<Verdict>>,
}

/// The answers of one side.
enum Side<T> {
    /// One answer per person.
    Own(Vec<T>),
    /// One answer per class, and the class of every person.
    Shared(Vec<T>, Vec<u16>),
}

impl<T: Clone + Eq + Hash> Side<T> {
    /// Puts equal answers into classes, unless there would be more than `most`.
    fn collect(answers: impl Iterator<Item = T> + Clone, most: usize) -> Self {
        let mut values: Vec<T> = Vec::new();
        let mut numbers: HashMap<T, u16> = HashMap::new();
        let mut of = Vec::with_capacity(answers.size_hint().0);
        for answer in answers.clone() {
            let number = match numbers.entry(answer) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => match u16::try_from(values.len()) {
                    Ok(number) if values.len() < most => {
                        values.push(new.key().clone());
                        *new.insert(number)
                    }
                    _ => return Self::Own(answers.collect()),
                },
            };
            of.push(number);
        }
        Self::Shared(values, of)
    }

    /// Number of classes, if there are any.
    fn classes(&self) -> Option<usize> {
        match self {
            Self::Own(_) => None,
            Self::Shared(values, _) => Some(values.len()),
        }
    }

    fn answer(&self, at: usize) -> &T {
        match self {
            Self::Own(values) => &values[at],
            Self::Shared(values, of) => &values[usize::from(of[at])],
        }
    }
}

impl<A: Aspect> Table<A> {
    /// Collects the answers of both sides.
    pub(in crate::engine) fn new(mut aspect: A, mentees: &[&Person<'_>], mentors: &[&Person<'_>]) -> Self {
        let most = (mentors.len() / 2).clamp(256, MOST_CLASSES);
        let mentor_side = Side::collect(mentors.iter().map(|person| aspect.mentor(person)), most);
        let most = MOST_CELLS.min((mentees.len() * mentors.len() / 4).max(MOST_CELLS / 64));
        let most = mentor_side.classes().map_or(0, |classes| most / classes.max(1));
        let mentee_side =
            Side::collect(mentees.iter().map(|person| aspect.mentee(person)), most.min(MOST_CLASSES));
        let is_kept = mentee_side.classes().is_some();
        let pays_off = |classes: usize| is_kept || classes <= (mentors.len() / PEOPLE_PER_CLASS).max(256);
        let mentor_side = if mentor_side.classes().is_some_and(pays_off) {
            mentor_side
        } else {
            Side::Own(mentors.iter().map(|person| aspect.mentor(person)).collect())
        };
        let (Side::Own(answers) | Side::Shared(answers, _)) = &mentor_side;
        aspect.prepare(answers);
        let cells = match (&mentee_side, &mentor_side) {
            (Side::Shared(rows, _), Side::Shared(columns, _)) => Some(judge_all(&aspect, rows, columns)),
            _ => None,
        };
        Self { aspect, mentees: mentee_side, mentors: mentor_side, cells }
    }
}

fn judge_all<A: Aspect>(aspect: &A, rows: &[A::Mentee], columns: &[A::Mentor]) -> Array2<Verdict> {
    let mut cells = Array2::from_elem((rows.len(), columns.len()), Verdict::CLEAR);
    if let Some(all) = cells.as_slice_mut().filter(|all| !all.is_empty()) {
        all.par_chunks_mut(columns.len())
            .zip(rows)
            .for_each(|(out, mentee)| aspect.judge_each(mentee, columns, 0..columns.len(), out));
    }
    cells
}

impl<A: Aspect> Lookup for Table<A> {
    fn mentor_classes(&self) -> Classes<'_> {
        match &self.mentors {
            Side::Own(_) => Classes::Own,
            Side::Shared(values, of) => Classes::Shared(values.len(), of),
        }
    }

    fn pair(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict {
        if let (Some(cells), Side::Shared(_, rows), Side::Shared(_, columns), true) =
            (&self.cells, &self.mentees, &self.mentors, ties == Ties::NONE)
        {
            return cells[(usize::from(rows[mentee]), usize::from(columns[mentor]))];
        }
        self.aspect.judge(self.mentees.answer(mentee), self.mentors.answer(mentor), ties)
    }

    fn row<'s>(&'s self, mentee: usize, classes: Range<usize>, room: &'s mut Vec<Verdict>) -> &'s [Verdict] {
        if let (Some(cells), Side::Shared(_, rows)) = (&self.cells, &self.mentees)
            && let Some(row) = cells.row(usize::from(rows[mentee])).to_slice()
        {
            return &row[classes];
        }
        let (Side::Own(answers) | Side::Shared(answers, _)) = &self.mentors;
        room.resize(classes.len(), Verdict::CLEAR);
        self.aspect.judge_each(self.mentees.answer(mentee), answers, classes, room);
        room
    }

    fn explain(&self, mentee: usize, mentor: usize, ties: Ties, story: &mut Story) {
        self.aspect.explain(self.mentees.answer(mentee), self.mentors.answer(mentor), ties, story);
    }
}
