//! An aspect with the answers of everyone, ready for the dense pass. Equal answers are one class, so the dense pass judges
//! classes and looks the verdicts up. Where nearly everyone answers differently, an aspect may put the mentors into few
//! classes for one mentee at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use ndarray::Array2;
use rayon::prelude::*;

use super::aspect::{Aspect, Found, Story};
use super::columns::Columns;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Ties;
use crate::engine::observer::{Observer, Stopped};

/// Most verdicts that are kept per aspect: 16 MiB.
const MOST_CELLS: usize = 1 << 22;
/// People looked at between two questions whether to stop.
const AT_A_TIME: usize = 1 << 12;
/// Most classes that a `u16` names.
const MOST_CLASSES: usize = 1 << 16;

/// The verdicts of one aspect for all pairs.
pub(in crate::engine) trait Lookup: Send + Sync {
    /// How the dense pass finds verdicts.
    fn way(&self) -> Way<'_>;

    /// The verdict of one pair.
    fn pair(&self, mentee: usize, mentor: usize, ties: Ties) -> Verdict;

    /// The verdicts of one mentee with every class of mentors, where nobody is tied; `room` is used if they must be judged.
    fn class_verdicts<'v>(&'v self, mentee: usize, room: &'v mut Vec<Verdict>) -> &'v [Verdict];

    /// The one verdict of a mentee with all classes of mentors, where nobody is tied, if it is one and there are such classes.
    fn only_verdict(&self, mentee: usize, room: &mut Vec<Verdict>) -> Option<Verdict> {
        let Way::Classes(..) = self.way() else { return None };
        let (first, others) = self.class_verdicts(mentee, room).split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    }

    /// Mentees of one kind have the same verdicts of every class: only where [`Way::OfMentee`] is the way.
    fn kind(&self, mentee: usize) -> u32;

    /// How mentors are put into classes for one mentee: only where that is the [`Way`].
    fn key(&self, mentee: usize) -> Found<'_>;

    /// The verdict of one pair with its reasons.
    fn explain(&self, mentee: usize, mentor: usize, ties: Ties, story: &mut Story);
}

/// How the dense pass finds the verdicts of an aspect.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Way<'a> {
    /// By the class of every mentor, of as many as given.
    Classes(usize, &'a [u16]),
    /// By classes of a byte that are found anew for each mentee.
    OfMentee,
    /// Pair by pair.
    Singly,
}

/// An aspect with the answers of both sides.
pub(in crate::engine) struct Table<A: Aspect> {
    aspect: A,
    mentees: Side<A::Mentee>,
    mentors: Side<A::Mentor>,
    /// Whether the aspect classifies mentors itself.
    classifies: bool,
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
    fn collect(answers: Vec<T>, most: usize, observer: &dyn Observer) -> Result<Self, Stopped> {
        let mut values: Vec<T> = Vec::new();
        let mut numbers: HashMap<&T, u16> = HashMap::new();
        let mut of = Vec::with_capacity(answers.len());
        for (at, answer) in answers.iter().enumerate() {
            if at.is_multiple_of(AT_A_TIME) {
                observer.check()?;
            }
            let number = match numbers.entry(answer) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => match u16::try_from(values.len()) {
                    Ok(number) if values.len() < most => {
                        values.push(answer.clone());
                        *new.insert(number)
                    }
                    _ => return Ok(Self::Own(answers)),
                },
            };
            of.push(number);
        }
        Ok(Self::Shared(values, of))
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
    pub(in crate::engine) fn new(
        mut aspect: A,
        mentees: &[&Person<'_>],
        mentors: &[&Person<'_>],
        columns: &mut Columns,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let of_mentees = answers(mentees, |person| aspect.mentee(person), observer)?;
        let of_mentors = answers(mentors, |person| aspect.mentor(person), observer)?;
        if aspect.lay_out(&of_mentees, &of_mentors, columns) {
            let (mentees, mentors) = (Side::Own(of_mentees), Side::Own(of_mentors));
            return Ok(Self { aspect, mentees, mentors, classifies: true, cells: None });
        }
        let mentors = Side::collect(of_mentors, (mentors.len() / 2).clamp(256, MOST_CLASSES), observer)?;
        let mentees = match &mentors {
            Side::Shared(values, _) => {
                Side::collect(of_mentees, (MOST_CELLS / values.len().max(1)).min(MOST_CLASSES), observer)?
            }
            Side::Own(_) => Side::Own(of_mentees),
        };
        let cells = match (&mentees, &mentors) {
            (Side::Shared(rows, _), Side::Shared(columns, _)) => {
                Some(judge_all(&aspect, rows, columns, observer)?)
            }
            _ => None,
        };
        Ok(Self { aspect, mentees, mentors, classifies: false, cells })
    }
}

/// What some people answer.
fn answers<T: Send>(
    people: &[&Person<'_>],
    answer: impl Fn(&Person<'_>) -> T + Sync,
    observer: &dyn Observer,
) -> Result<Vec<T>, Stopped> {
    let some = |people: &[&Person<'_>]| {
        observer.check()?;
        Ok(people.iter().map(|person| answer(person)).collect())
    };
    let answers: Vec<Vec<T>> = people.par_chunks(AT_A_TIME).map(some).collect::<Result<_, Stopped>>()?;
    Ok(answers.into_iter().flatten().collect())
}

fn judge_all<A: Aspect>(
    aspect: &A,
    rows: &[A::Mentee],
    columns: &[A::Mentor],
    observer: &dyn Observer,
) -> Result<Array2<Verdict>, Stopped> {
    let mut cells = Array2::from_elem((rows.len(), columns.len()), Verdict::CLEAR);
    if let Some(all) = cells.as_slice_mut().filter(|all| !all.is_empty()) {
        all.par_chunks_mut(columns.len()).zip(rows).try_for_each(|(out, mentee)| {
            observer.check()?;
            for (mentor, verdict) in columns.iter().zip(out) {
                *verdict = aspect.judge(mentee, mentor, Ties::NONE);
            }
            Ok(())
        })?;
    }
    Ok(cells)
}

impl<A: Aspect> Lookup for Table<A> {
    fn way(&self) -> Way<'_> {
        match &self.mentors {
            Side::Own(_) if self.classifies => Way::OfMentee,
            Side::Own(_) => Way::Singly,
            Side::Shared(values, of) => Way::Classes(values.len(), of),
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

    fn class_verdicts<'v>(&'v self, mentee: usize, room: &'v mut Vec<Verdict>) -> &'v [Verdict] {
        if let (Some(cells), Side::Shared(_, rows)) = (&self.cells, &self.mentees)
            && let Some(verdicts) = cells.row(usize::from(rows[mentee])).to_slice()
        {
            return verdicts;
        }
        room.clear();
        let answer = self.mentees.answer(mentee);
        match &self.mentors {
            Side::Shared(values, _) => {
                room.extend(values.iter().map(|mentor| self.aspect.judge(answer, mentor, Ties::NONE)));
            }
            Side::Own(_) => self.aspect.class_verdicts(answer, room),
        }
        room
    }

    fn kind(&self, mentee: usize) -> u32 {
        self.aspect.kind(self.mentees.answer(mentee))
    }

    fn key(&self, mentee: usize) -> Found<'_> {
        self.aspect.key(self.mentees.answer(mentee))
    }

    fn explain(&self, mentee: usize, mentor: usize, ties: Ties, story: &mut Story) {
        self.aspect.explain(self.mentees.answer(mentee), self.mentors.answer(mentor), ties, story);
    }
}
