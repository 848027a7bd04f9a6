//! The dense pass: one mentee with a range of mentors, all aspects, 16 bits per pair.

use std::ops::Range;

use super::Scores;
use super::bundle::Bundle;
use super::plane::Plane;
use super::table::Way;
use crate::domain::policy::HardRule;
use crate::engine::cpu::Values;
use crate::engine::eligibility::{Rules, Verdict};

/// Mentors that one row is computed for at a time: what is laid out of them stays in a core's second-level cache.
const BLOCK: usize = 4_096;
/// Narrower tiles are computed pair by pair: laying out the classes would cost more.
const NARROW: usize = 16;

/// What one mentee's aspects say of every class of mentors.
#[derive(Debug, Default)]
struct Row {
    /// Of every bundle; none if it says nothing.
    bundles: Vec<Option<Values>>,
    /// Of every table in a way of its own that has classes of a byte, by its place among all tables.
    of_mentee: Vec<(usize, Values)>,
    /// Tables that are judged pair by pair.
    singly: Vec<usize>,
}

/// Room for tiles, used again for each.
#[derive(Debug, Default)]
struct Room {
    verdicts: Vec<Verdict>,
    classes: Vec<u8>,
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
        let mut room = Room::default();
        let laid_out: Vec<Row> = rows.clone().map(|mentee| self.lay_out(mentee, plane, &mut room)).collect();
        for from in (0..cols.len()).step_by(BLOCK) {
            let block = from..cols.len().min(from + BLOCK);
            let mentors = cols.start + block.start..cols.start + block.end;
            for ((mentee, row), out) in rows.clone().zip(&laid_out).zip(out.chunks_exact_mut(cols.len())) {
                let out = &mut out[block.clone()];
                self.add_aspects(mentee, row, mentors.clone(), plane, &mut room, out);
                self.correct(mentee, &mentors, plane, out);
            }
        }
    }

    /// Number of tables by the way in which verdicts are found: in bundles, in classes of the mentee, one by one.
    #[cfg(test)]
    pub(in crate::engine) fn ways_of_looking_up(&self) -> [usize; 3] {
        let of_mentee =
            self.wide.iter().filter(|at| matches!(self.tables[**at].way(), Way::OfMentee)).count();
        [self.tables.len() - self.wide.len(), of_mentee, self.wide.len() - of_mentee]
    }

    fn lay_out(&self, mentee: usize, plane: Plane, room: &mut Room) -> Row {
        let values = |bundle: &Bundle| bundle.values(&self.tables, mentee, plane, &mut room.verdicts);
        let bundles =
            self.bundles.iter().map(values).map(|values| (!values.are_all_zero()).then_some(values));
        let mut row = Row { bundles: bundles.collect(), ..Row::default() };
        for at in &self.wide {
            if matches!(self.tables[*at].way(), Way::OfMentee) {
                self.tables[*at].class_verdicts(mentee, &mut room.verdicts);
                let values = Values::collect(room.verdicts.iter().map(|verdict| plane.of(*verdict)));
                if !values.are_all_zero() {
                    row.of_mentee.push((*at, values));
                }
            } else {
                row.singly.push(*at);
            }
        }
        row
    }

    /// Writes the sums of all tables, untied.
    fn add_aspects(
        &self,
        mentee: usize,
        row: &Row,
        mentors: Range<usize>,
        plane: Plane,
        room: &mut Room,
        out: &mut [i16],
    ) {
        out.fill(0);
        for (bundle, values) in self.bundles.iter().zip(&row.bundles) {
            if let Some(values) = values {
                self.cpu.look_up(&bundle.classes()[mentors.clone()], values, out);
            }
        }
        room.classes.resize(mentors.len(), 0);
        for (at, values) in &row.of_mentee {
            self.tables[*at].classify(mentee, mentors.clone(), self.cpu, &mut room.classes);
            self.cpu.look_up(&room.classes, values, out);
        }
        for at in &row.singly {
            self.tables[*at].add_singly(mentee, mentors.clone(), plane, out);
        }
    }

    /// Corrects what depends on the two people and on the whole verdict.
    fn correct(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
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
        if self.min_score > 0 {
            self.exclude_low(mentee, mentors, plane, out);
        }
        if let (Some(mutual), Some(_)) = (&self.mutual, self.mentees[mentee].mentor) {
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

    /// Applies the rule on the lowest score.
    fn exclude_low(&self, mentee: usize, mentors: &Range<usize>, plane: Plane, out: &mut [i16]) {
        let lowest = self.min_score.cast_signed();
        match plane {
            Plane::Points => {}
            Plane::Scores => {
                for number in out {
                    *number = if *number < lowest { i16::MIN } else { *number };
                }
            }
            Plane::Rules => {
                let mut points = vec![0; out.len()];
                self.fill_points(mentee, mentors.clone(), &mut points);
                let rule = Rules::of(HardRule::MinScore).bits().cast_signed();
                for (number, points) in out.iter_mut().zip(points) {
                    *number |= if points < lowest { rule } else { 0 };
                }
            }
        }
    }

    fn fill_points(&self, mentee: usize, mentors: Range<usize>, out: &mut [i16]) {
        let mut room = Room::default();
        let row = self.lay_out(mentee, Plane::Points, &mut room);
        self.add_aspects(mentee, &row, mentors.clone(), Plane::Points, &mut room, out);
        for (mentor, _, sum) in self.tied.of_range(mentee, &mentors) {
            out[*mentor as usize - mentors.start] = Plane::Points.of(*sum);
        }
    }
}
