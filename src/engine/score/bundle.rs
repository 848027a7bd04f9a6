//! Bundles: several aspects that are looked up at once, because one byte per mentor names their joint classes.

use super::columns::MentorColumns;
use super::table::{Lookup, LookupWay};
use crate::engine::cpu::{Key, ScoringPlan};
use crate::engine::eligibility::{Plane, Verdict};

/// Largest number of joint classes of a bundle of several tables: more cost more than another bundle.
const MOST: usize = 64;
/// Number of classes that a byte can name.
const MOST_ALONE: usize = 256;

/// Aspects that are looked up together.
#[derive(Debug)]
pub(super) struct Bundle {
    /// The column with the joint class of every mentor.
    column: usize,
    /// Number of joint classes.
    len: usize,
    /// Tables, each with its own class for every joint class.
    parts: Vec<(usize, Vec<u16>)>,
}

/// Joins tables into bundles by first fit, tables of few classes first. Also returns the positions of the tables that have
/// too many classes for any bundle.
pub(super) fn bundle(
    tables: &[Box<dyn Lookup + '_>],
    mentors: usize,
    columns: &mut MentorColumns,
) -> (Vec<Bundle>, Vec<usize>) {
    let mut small: Vec<(usize, usize, &[u16])> = Vec::new();
    let mut wide = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        match table.way() {
            LookupWay::Classes(classes, of) if classes <= MOST_ALONE => small.push((classes, at, of)),
            _ => wide.push(at),
        }
    }
    small.sort_by_key(|(classes, at, _)| (*classes, *at));
    let mut bundles: Vec<Joint> = Vec::new();
    for (_, table, of) in small {
        let joined = bundles.iter_mut().any(|bundle| bundle.join(table, of, MOST));
        if !joined {
            let mut bundle = Joint { of_mentor: vec![0; mentors], len: 1.min(mentors), parts: Vec::new() };
            bundle.join(table, of, MOST_ALONE);
            bundles.push(bundle);
        }
    }
    let lay_out = |Joint { of_mentor, len, parts }| Bundle { column: columns.add(of_mentor), len, parts };
    (bundles.into_iter().map(lay_out).collect(), wide)
}

/// A bundle that is being built, with the joint class of every mentor.
struct Joint {
    of_mentor: Vec<u8>,
    len: usize,
    parts: Vec<(usize, Vec<u16>)>,
}

impl Joint {
    /// Adds a table with the given class of every mentor. Returns `false`, and changes nothing, if the number of joint classes
    /// would grow above `most`.
    fn join(&mut self, table: usize, of: &[u16], most: usize) -> bool {
        const UNSEEN: u16 = u16::MAX;
        let mut numbers = vec![UNSEEN; MOST_ALONE * MOST_ALONE];
        let mut pairs: Vec<(u8, u16)> = Vec::new();
        let mut of_mentor = Vec::with_capacity(of.len());
        for (joint, class) in self.of_mentor.iter().zip(of) {
            let number = &mut numbers[usize::from(*joint) * MOST_ALONE + usize::from(*class) % MOST_ALONE];
            if *number == UNSEEN {
                *number = u16::try_from(pairs.len()).unwrap_or(UNSEEN);
                pairs.push((*joint, *class));
                if pairs.len() > most.max(self.len) {
                    return false;
                }
            }
            of_mentor.push(number.to_le_bytes()[0]);
        }
        for (_, classes) in &mut self.parts {
            *classes = pairs.iter().map(|(joint, _)| classes[usize::from(*joint)]).collect();
        }
        self.parts.push((table, pairs.iter().map(|(_, class)| *class).collect()));
        self.of_mentor = of_mentor;
        self.len = pairs.len();
        true
    }
}

impl Bundle {
    /// Adds a step to the plan of a row: the number, on a plane, of the verdict of one mentee with every joint class. The
    /// verdict `of_all`, which is the same for all mentors, is part of it.
    pub(super) fn add_to(
        &self,
        plan: &mut ScoringPlan,
        tables: &[Box<dyn Lookup + '_>],
        mentee: usize,
        plane: Plane,
        of_all: Verdict,
        room: &mut Vec<Verdict>,
    ) {
        let mut joint = [of_all; MOST_ALONE];
        for (table, of_joint) in &self.parts {
            let verdicts = tables[*table].class_verdicts(mentee, room);
            for (verdict, class) in joint.iter_mut().zip(of_joint) {
                *verdict = verdict.and(verdicts[usize::from(*class)]);
            }
        }
        let key = Key { base: self.column, ..Key::default() };
        if let Some(values) = plan.write(&joint.map(|verdict| plane.of(verdict))[..self.len]) {
            plan.add(key, values);
        }
    }
}
