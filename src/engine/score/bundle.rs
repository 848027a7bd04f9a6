//! Several aspects looked up at once: their joint classes, at most 256, are named by one byte per mentor.

use std::ops::Range;

use super::table::{Classes, Lookup};
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
        match table.mentor_classes() {
            Classes::Shared(classes, of) if classes <= MOST => small.push((classes, at, of)),
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

    /// Writes the summed verdicts of one mentee with every joint class.
    pub(super) fn lay_out(
        &self,
        tables: &[Box<dyn Lookup + '_>],
        mentee: usize,
        room: &mut Vec<Verdict>,
        joint: &mut [Verdict; MOST],
    ) {
        joint[..self.len].fill(Verdict::CLEAR);
        for (table, of_joint) in &self.parts {
            let table = &tables[*table];
            if let Classes::Shared(count, _) = table.mentor_classes() {
                let row = table.row(mentee, 0..count, room);
                for (verdict, class) in joint.iter_mut().zip(of_joint) {
                    *verdict = verdict.and(row[usize::from(*class)]);
                }
            }
        }
    }
}

/// Adds the laid-out verdicts of all bundles to those of a range of mentors.
pub(super) fn add(
    bundles: &[Bundle],
    laid_out: &[[Verdict; MOST]],
    mentors: &Range<usize>,
    verdicts: &mut [Verdict],
) {
    let mut bundles =
        bundles.iter().zip(laid_out).map(|(bundle, joint)| (&bundle.of_mentor[mentors.clone()], joint));
    // Several at a time, so that a verdict is loaded and stored once for them.
    while let Some((a, of_a)) = bundles.next() {
        match (bundles.next(), bundles.next()) {
            (Some((b, of_b)), Some((c, of_c))) => {
                for (((verdict, a), b), c) in verdicts.iter_mut().zip(a).zip(b).zip(c) {
                    *verdict = verdict
                        .and(of_a[usize::from(*a)])
                        .and(of_b[usize::from(*b)])
                        .and(of_c[usize::from(*c)]);
                }
            }
            (Some((b, of_b)), None) => {
                for ((verdict, a), b) in verdicts.iter_mut().zip(a).zip(b) {
                    *verdict = verdict.and(of_a[usize::from(*a)]).and(of_b[usize::from(*b)]);
                }
            }
            _ => {
                for (verdict, a) in verdicts.iter_mut().zip(a) {
                    *verdict = verdict.and(of_a[usize::from(*a)]);
                }
            }
        }
    }
}
