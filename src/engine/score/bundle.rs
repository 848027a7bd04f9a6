//! Several aspects looked up at once: their joint classes, at most 256, are named by one byte per mentor.

use super::plane::Plane;
use super::table::{Lookup, Way};
use crate::engine::cpu::Values;
use crate::engine::eligibility::Verdict;

/// Most joint classes of a bundle.
const MOST: usize = 256;

/// Aspects that are looked up together.
#[derive(Debug)]
pub(super) struct Bundle {
    /// The joint class of every mentor.
    of_mentor: Vec<u8>,
    /// Number of joint classes.
    len: usize,
    /// Tables, each with its own class for every joint class.
    parts: Vec<(usize, Vec<u16>)>,
}

/// Joins tables into as few bundles as a first fit finds, few classes first; the tables that fit none are returned beside.
pub(super) fn bundle(tables: &[Box<dyn Lookup + '_>], mentors: usize) -> (Vec<Bundle>, Vec<usize>) {
    let mut small: Vec<(usize, usize, &[u16])> = Vec::new();
    let mut wide = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        match table.way() {
            Way::Classes(classes, of) if classes <= MOST => small.push((classes, at, of)),
            _ => wide.push(at),
        }
    }
    small.sort_by_key(|(classes, at, _)| (*classes, *at));
    let mut bundles: Vec<Bundle> = Vec::new();
    for (_, table, of) in small {
        let joined = bundles.iter_mut().any(|bundle| bundle.join(table, of));
        if !joined {
            let mut bundle = Bundle { of_mentor: vec![0; mentors], len: 1.min(mentors), parts: Vec::new() };
            bundle.join(table, of);
            bundles.push(bundle);
        }
    }
    (bundles, wide)
}

impl Bundle {
    /// Takes in a table with the given class of every mentor, unless the joint classes became too many.
    fn join(&mut self, table: usize, of: &[u16]) -> bool {
        const UNSEEN: u16 = u16::MAX;
        let mut numbers = vec![UNSEEN; MOST * MOST];
        let mut pairs: Vec<(u8, u16)> = Vec::new();
        let mut of_mentor = Vec::with_capacity(of.len());
        for (joint, class) in self.of_mentor.iter().zip(of) {
            let number = &mut numbers[usize::from(*joint) * MOST + usize::from(*class) % MOST];
            if *number == UNSEEN {
                *number = u16::try_from(pairs.len()).unwrap_or(UNSEEN);
                pairs.push((*joint, *class));
            }
            let Ok(byte) = u8::try_from(*number) else { return false };
            of_mentor.push(byte);
        }
        for (_, classes) in &mut self.parts {
            *classes = pairs.iter().map(|(joint, _)| classes[usize::from(*joint)]).collect();
        }
        self.parts.push((table, pairs.iter().map(|(_, class)| *class).collect()));
        self.of_mentor = of_mentor;
        self.len = pairs.len();
        true
    }

    /// What one mentee's verdicts with every joint class amount to on a plane.
    pub(super) fn values(
        &self,
        tables: &[Box<dyn Lookup + '_>],
        mentee: usize,
        plane: Plane,
        room: &mut Vec<Verdict>,
    ) -> Values {
        let mut joint = [Verdict::CLEAR; MOST];
        for (table, of_joint) in &self.parts {
            tables[*table].class_verdicts(mentee, room);
            for (verdict, class) in joint.iter_mut().zip(of_joint) {
                *verdict = verdict.and(room[usize::from(*class)]);
            }
        }
        Values::collect(joint[..self.len].iter().map(|verdict| plane.of(*verdict)))
    }

    /// The joint class of every mentor.
    pub(super) fn classes(&self) -> &[u8] {
        &self.of_mentor
    }
}
