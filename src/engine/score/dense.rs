//! The dense pass: one mentee with a range of mentors, all aspects, 16 bits per pair.

use std::ops::Range;

use super::Scores;
use super::aspect::{Compute, Found};
use super::plane::Plane;
use super::table::Way;
use crate::domain::policy::HardRule;
use crate::engine::cpu::{Column, LANES, Recipes};
use crate::engine::eligibility::{Rules, Verdict};
use crate::engine::encode::ties::Ties;

/// Narrower tiles are computed pair by pair: laying out the classes would cost more.
const NARROW: usize = 16;
/// Classes that a byte can name.
const MOST_CLASSES: usize = 256;

/// What the recipe of one mentee leaves to be done.
#[derive(Default)]
struct Row<'a> {
    /// What computes the columns of her own that the recipe speaks of.
    own: Vec<Box<dyn Compute + 'a>>,
    /// Those columns, of the block that is being summed up.
    computed: Vec<Column>,
    /// Tables that have no classes of a byte.
    singly: Vec<usize>,
}

impl Scores<'_> {
    /// Writes what a plane has of a tile, row-major.
    pub(in crate::engine) fn fill(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        plane: Plane,
        out: &mut [i16],
    ) {
        if cols.is_empty() {
            return;
        }
        if cols.len() < NARROW {
            for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len())) {
                for (mentor, out) in cols.clone().zip(out) {
                    *out = plane.of(self.verdict(mentee, mentor));
                }
            }
            return;
        }
        self.sum_up(rows.clone(), cols.clone(), plane, out);
        self.exclude_low(rows.clone(), cols.clone(), plane, out);
        for (mentee, out) in rows.zip(out.chunks_exact_mut(cols.len())) {
            self.exclude_mutual(mentee, &cols, plane, out);
        }
    }

    /// Number of tables by the way in which verdicts are found: in bundles, in classes of the mentee, one by one.
    #[cfg(test)]
    pub(in crate::engine) fn ways_of_looking_up(&self) -> [usize; 3] {
        let of_mentee =
            self.wide.iter().filter(|at| matches!(self.tables[**at].way(), Way::OfMentee)).count();
        [self.tables.len() - self.wide.len(), of_mentee, self.wide.len() - of_mentee]
    }

    /// Writes what a mentee's aspects say of every class of mentors.
    fn lay_out(
        &self,
        mentee: usize,
        plane: Plane,
        recipes: &mut Recipes,
        room: &mut Vec<Verdict>,
    ) -> Row<'_> {
        let (mut row, mut values) = (Row::default(), Vec::with_capacity(MOST_CLASSES));
        for bundle in &self.bundles {
            bundle.add_to(recipes, &self.tables, mentee, plane, room);
        }
        for at in &self.wide {
            let table = &self.tables[*at];
            if matches!(table.way(), Way::OfMentee) {
                values.clear();
                values.extend(table.class_verdicts(mentee, room).iter().map(|verdict| plane.of(*verdict)));
                let Found { mut key, own } = table.key(mentee);
                key.own = own.is_some().then_some(row.own.len());
                if recipes.add(key, &values) {
                    row.own.extend(own);
                }
            } else {
                row.singly.push(*at);
            }
        }
        recipes.end_row();
        row
    }

    /// Writes the sums of what all aspects say.
    fn sum_up(&self, rows: Range<usize>, cols: Range<usize>, plane: Plane, out: &mut [i16]) {
        let (mut recipes, mut room) = (Recipes::new(plane.sums()), Vec::new());
        let lay_out = |mentee| self.lay_out(mentee, plane, &mut recipes, &mut room);
        let mut laid_out: Vec<Row<'_>> = rows.clone().map(lay_out).collect();
        for block in cols.start / LANES..cols.end.div_ceil(LANES) {
            let first = block * LANES;
            let mentors = cols.start.max(first)..cols.end.min(first + LANES);
            let columns = self.columns.block(block);
            // First what reads a great deal, so that the columns stay in the nearest cache afterwards.
            for row in &mut laid_out {
                row.computed.resize(row.own.len(), Column::ZERO);
                for (column, compute) in row.computed.iter_mut().zip(&mut row.own) {
                    compute.compute(block, self.cpu, column);
                }
            }
            let rows = laid_out.iter().enumerate();
            for ((at, row), out) in rows.zip(out.chunks_exact_mut(cols.len())) {
                let out = &mut out[mentors.start - cols.start..mentors.end - cols.start];
                if let Some(whole) = out.as_mut_array() {
                    self.cpu.sum_up(columns, &row.computed, &recipes, at, whole);
                } else {
                    let mut whole = [0; LANES];
                    self.cpu.sum_up(columns, &row.computed, &recipes, at, &mut whole);
                    out.copy_from_slice(&whole[mentors.start - first..mentors.end - first]);
                }
            }
        }
        for ((mentee, row), out) in rows.zip(laid_out).zip(out.chunks_exact_mut(cols.len())) {
            for table in row.singly {
                self.add_singly(mentee, table, cols.clone(), plane, &mut room, out);
            }
            self.correct_pairs(mentee, &cols, plane, out);
        }
    }

    /// Adds the verdicts of a table that has no classes of a byte.
    fn add_singly(
        &self,
        mentee: usize,
        table: usize,
        mentors: Range<usize>,
        plane: Plane,
        room: &mut Vec<Verdict>,
        out: &mut [i16],
    ) {
        let table = &self.tables[table];
        if let Way::Classes(_, of) = table.way() {
            let verdicts = table.class_verdicts(mentee, room);
            for (out, class) in out.iter_mut().zip(&of[mentors]) {
                *out = out.saturating_add(plane.of(verdicts[usize::from(*class)]));
            }
        } else {
            for (out, mentor) in out.iter_mut().zip(mentors) {
                *out = out.saturating_add(plane.of(table.pair(mentee, mentor, Ties::NONE)));
            }
        }
    }

    /// Corrects what depends on the two people.
    fn correct_pairs(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
        for apart in &self.apart {
            let broken = plane.of(apart.broken());
            for at in apart.members_with(mentee, mentors) {
                let number = &mut out[at - mentors.start];
                *number = number.saturating_add(broken);
            }
        }
        for (mentor, _, sum) in self.tied.of_range(mentee, mentors) {
            out[*mentor as usize - mentors.start] = plane.of(*sum);
        }
    }

    /// Applies the rule on the lowest score.
    fn exclude_low(&self, rows: Range<usize>, cols: Range<usize>, plane: Plane, out: &mut [i16]) {
        let lowest = self.min_score.cast_signed();
        if lowest == 0 {
            return;
        }
        match plane {
            Plane::Points => {}
            Plane::Scores => {
                for number in out {
                    *number = if *number < lowest { i16::MIN } else { *number };
                }
            }
            Plane::Rules => {
                let mut points = vec![0; out.len()];
                self.sum_up(rows, cols, Plane::Points, &mut points);
                let rule = Rules::of(HardRule::MinScore).bits().cast_signed();
                for (number, points) in out.iter_mut().zip(points) {
                    *number |= if points < lowest { rule } else { 0 };
                }
            }
        }
    }

    /// Applies the rule on people who could mentor each other, which looks at whole verdicts.
    fn exclude_mutual(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
        let (Some(mutual), Some(_)) = (&self.mutual, self.mentees[mentee].mentor) else { return };
        let first = mutual.mentors.partition_point(|at| (*at as usize) < mentors.start);
        let both = mutual.mentors[first..].iter().map(|at| *at as usize);
        for at in both.take_while(|at| *at < mentors.end) {
            let number = &mut out[at - mentors.start];
            let is_candidate = if plane == Plane::Rules { *number == 0 } else { *number >= 0 };
            if is_candidate && !self.is_above(at, mentee) {
                *number = plane.of(self.verdict(mentee, at));
            }
        }
    }
}
