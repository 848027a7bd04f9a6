//! Table of an aspect: the answers of all people, by class.
//!
//! Equal answers are one class, so that the dense pass judges classes and looks the verdicts up. If nearly all answers are
//! different, an aspect may put the mentors into few classes for one mentee at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use ndarray::Array2;
use rayon::prelude::*;

use super::aspect::{Aspect, Classifier, Story};
use super::columns::MentorColumns;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::ties::Relations;
use crate::engine::observer::{Observer, Stopped};

/// Largest number of verdicts that a table keeps: 16 MiB.
const MOST_CELLS: usize = 1 << 22;
/// People between two checks whether to stop.
const AT_A_TIME: usize = 1 << 12;
/// Number of classes that a `u16` can name.
const MOST_CLASSES: usize = 1 << 16;

/// The verdicts of one aspect on all pairs.
pub(in crate::engine) trait Lookup: Send + Sync {
    /// How the dense pass finds verdicts.
    fn way(&self) -> LookupWay<'_>;

    /// The verdict of one pair.
    fn pair(&self, mentee: usize, mentor: usize, ties: Relations) -> Verdict;

    /// The verdicts of one mentee with every class of mentors, where nobody is tied. `room` holds them if the table does not.
    fn class_verdicts<'v>(&'v self, mentee: usize, room: &'v mut Vec<Verdict>) -> &'v [Verdict];

    /// The verdict of a mentee with all mentors, where nobody is tied; `None` if the verdicts differ or there are no classes.
    fn only_verdict(&self, mentee: usize, room: &mut Vec<Verdict>) -> Option<Verdict> {
        let LookupWay::Classes(..) = self.way() else { return None };
        let (first, others) = self.class_verdicts(mentee, room).split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    }

    /// Mentees of one kind have the same verdict of every class. For tables of [`LookupWay::OfMentee`].
    fn kind(&self, mentee: usize) -> u32;

    /// How the mentors are put into classes for one mentee. For tables of [`LookupWay::OfMentee`].
    fn classifier(&self, mentee: usize) -> Classifier<'_>;

    /// The verdict of one pair with its reasons.
    fn explain(&self, mentee: usize, mentor: usize, ties: Relations, story: &mut Story);
}

/// How the dense pass finds the verdicts of an aspect.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum LookupWay<'a> {
    /// By the class of every mentor: number of classes, and the class of each mentor.
    Classes(usize, &'a [u16]),
    /// By classes of one byte that each mentee defines anew.
    OfMentee,
    /// Pair by pair: no classes.
    Singly,
}

/// An aspect with the answers of both sides.
pub(in crate::engine) struct Table<A: Aspect> {
    aspect: A,
    mentees: Answers<A::Mentee>,
    mentors: Answers<A::Mentor>,
    /// Whether the aspect classifies mentors itself.
    classifies: bool,
    /// Verdicts of untied pairs, by class of mentee and class of mentor; `None` if there would be too many.
    cells: Option<Array2<Verdict>>,
}

/// The answers of one side.
enum Answers<T> {
    /// One answer per person.
    Own(Vec<T>),
    /// One answer per class, and the class of every person.
    Shared(Vec<T>, Vec<u16>),
}

impl<T: Clone + Eq + Hash> Answers<T> {
    /// Puts equal answers into classes, unless there would be more than `most` classes.
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
        columns: &mut MentorColumns,
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let of_mentees = answers(mentees, |person| aspect.mentee(person), observer)?;
        let of_mentors = answers(mentors, |person| aspect.mentor(person), observer)?;
        if aspect.lay_out(&of_mentees, &of_mentors, columns) {
            let (mentees, mentors) = (Answers::Own(of_mentees), Answers::Own(of_mentors));
            return Ok(Self { aspect, mentees, mentors, classifies: true, cells: None });
        }
        let mentors = Answers::collect(of_mentors, (mentors.len() / 2).clamp(256, MOST_CLASSES), observer)?;
        let mentees = match &mentors {
            Answers::Shared(values, _) => {
                Answers::collect(of_mentees, (MOST_CELLS / values.len().max(1)).min(MOST_CLASSES), observer)?
            }
            Answers::Own(_) => Answers::Own(of_mentees),
        };
        let cells = match (&mentees, &mentors) {
            (Answers::Shared(rows, _), Answers::Shared(columns, _)) => {
                Some(judge_all(&aspect, rows, columns, observer)?)
            }
            _ => None,
        };
        Ok(Self { aspect, mentees, mentors, classifies: false, cells })
    }
}

/// The answers of some people.
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
                *verdict = aspect.judge(mentee, mentor, Relations::NONE);
            }
            Ok(())
        })?;
    }
    Ok(cells)
}

impl<A: Aspect> Lookup for Table<A> {
    fn way(&self) -> LookupWay<'_> {
        match &self.mentors {
            Answers::Own(_) if self.classifies => LookupWay::OfMentee,
            Answers::Own(_) => LookupWay::Singly,
            Answers::Shared(values, of) => LookupWay::Classes(values.len(), of),
        }
    }

    fn pair(&self, mentee: usize, mentor: usize, ties: Relations) -> Verdict {
        if let (Some(cells), Answers::Shared(_, rows), Answers::Shared(_, columns), true) =
            (&self.cells, &self.mentees, &self.mentors, ties == Relations::NONE)
        {
            return cells[(usize::from(rows[mentee]), usize::from(columns[mentor]))];
        }
        self.aspect.judge(self.mentees.answer(mentee), self.mentors.answer(mentor), ties)
    }

    fn class_verdicts<'v>(&'v self, mentee: usize, room: &'v mut Vec<Verdict>) -> &'v [Verdict] {
        if let (Some(cells), Answers::Shared(_, rows)) = (&self.cells, &self.mentees)
            && let Some(verdicts) = cells.row(usize::from(rows[mentee])).to_slice()
        {
            return verdicts;
        }
        room.clear();
        let answer = self.mentees.answer(mentee);
        match &self.mentors {
            Answers::Shared(values, _) => {
                room.extend(values.iter().map(|mentor| self.aspect.judge(answer, mentor, Relations::NONE)));
            }
            Answers::Own(_) => self.aspect.class_verdicts(answer, room),
        }
        room
    }

    fn kind(&self, mentee: usize) -> u32 {
        self.aspect.kind(self.mentees.answer(mentee))
    }

    fn classifier(&self, mentee: usize) -> Classifier<'_> {
        self.aspect.classifier(self.mentees.answer(mentee))
    }

    fn explain(&self, mentee: usize, mentor: usize, ties: Relations, story: &mut Story) {
        self.aspect.explain(self.mentees.answer(mentee), self.mentors.answer(mentor), ties, story);
    }
}

/// Builds the tables of one round, in the order in which aspects are added.
pub(super) struct Tables<'t, 'a> {
    mentees: &'t [&'t Person<'t>],
    mentors: &'t [&'t Person<'t>],
    columns: &'t mut MentorColumns,
    observer: &'t dyn Observer,
    all: Vec<Box<dyn Lookup + 'a>>,
}

impl<'t, 'a> Tables<'t, 'a> {
    /// No tables yet. Their columns will be added to `columns`.
    pub(super) fn new(
        mentees: &'t [&'t Person<'t>],
        mentors: &'t [&'t Person<'t>],
        columns: &'t mut MentorColumns,
        observer: &'t dyn Observer,
    ) -> Self {
        Self { mentees, mentors, columns, observer, all: Vec::new() }
    }

    /// Adds the table of an aspect, if the policy makes use of it.
    pub(super) fn add<A: Aspect + 'a>(&mut self, aspect: Option<A>) -> Result<(), Stopped> {
        if let Some(aspect) = aspect {
            let table = Table::new(aspect, self.mentees, self.mentors, self.columns, self.observer)?;
            self.all.push(Box::new(table));
        }
        Ok(())
    }

    /// All tables that were added.
    pub(super) fn finish(self) -> Vec<Box<dyn Lookup + 'a>> {
        self.all
    }
}
