//! Reads the binary format `.mm` (little endian), which the assignment benches use:
//!
//! | offset | type | what |
//! |---|---|---|
//! | 0 | 8 bytes | `MMINST01` |
//! | 8 | u32 | 0 = dense, 1 = sparse |
//! | 12 | u32 | bit 0: the number of matched people comes before the total score |
//! | 16 | u64 | mentees `n` |
//! | 24 | u64 | mentors `m` |
//! | 32 | u64 | scores: `n * m` if dense |
//! | 40 | `i32[n]` | number of mentors that each mentee wants, 0 to 2 |
//! | | `i32[m]` | number of places of each mentor |
//! | dense | `i32[n * m]` | scores by mentee; the lowest i32 marks a pair that is not a candidate |
//! | sparse | `u64[n + 1]`, `u32[]`, `i32[]` | begin of each mentee's candidates; their mentors; their scores |

use std::io::Read;

use super::{Instance, InstanceScores, Names};
use crate::domain::message::Message;
use crate::domain::violation::{Location, Violation, Violations};
use crate::engine::constrained::Constraints;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{Cells, DenseScores, Edge, FORBIDDEN, SparseError, SparseScores};
use crate::engine::problem::{Demand, Seats};
use crate::message;

/// First bytes of every file.
const MAGIC: [u8; 8] = *b"MMINST01";
/// Numbers of one read.
const CHUNK: usize = 1 << 16;

/// Reads an instance of `length` bytes. Memory: 2 or 4 bytes per pair of a dense instance, 8 bytes per candidate of a sparse
/// instance. No memory for people or scores is allocated before the length of the file agrees with its header.
pub fn read(mut source: impl Read, length: u64) -> Result<Instance, Violations> {
    let header = Header::read(&mut source, length)?;
    let mut mentees = room(header.mentees)?;
    let mut mentors = room(header.mentors)?;
    let mut wrong = Violations::default();
    numbers::<i32>(&mut source, header.mentees, |wanted| {
        let fits = u8::try_from(wanted).ok().filter(|wanted| *wanted <= 2);
        if fits.is_none() {
            let what = message!("wants {wanted} mentors; give 0, 1 or 2", wanted = wanted);
            wrong.add(message!("mentee {at}", at = mentees.len().to_string()), what);
        }
        mentees.push(Demand { wanted: fits.unwrap_or_default(), ..Demand::default() });
    })?;
    numbers::<i32>(&mut source, header.mentors, |seats| {
        let max = u32::try_from(seats).unwrap_or_else(|_| {
            let what = message!("has {places} places; give 0 or more", places = seats);
            wrong.add(message!("mentor {at}", at = mentors.len().to_string()), what);
            0
        });
        mentors.push(Seats { min: 0, max });
    })?;
    let scores = if header.dense {
        let mut cells = Cells::default();
        cells.reserve(header.scores).map_err(|_| {
            refuse(
                message!("header"),
                "the problem needs more memory than this machine has; use a machine with more memory",
            )
        })?;
        let mut fits = true;
        numbers::<i32>(&mut source, header.scores, |score| fits &= cells.push(score).is_ok())?;
        if !fits {
            return Err(refuse(
                message!("header"),
                "the problem needs more memory than this machine has; use a machine with more memory",
            ));
        }
        let matrix = DenseScores::new(header.mentors, cells);
        InstanceScores::Dense(matrix.ok_or_else(|| {
            refuse(message!("header"), "the number of scores is not mentees x mentors; create the file again")
        })?)
    } else {
        InstanceScores::Sparse(sparse_scores(&mut source, &header, &mut wrong)?)
    };
    wrong.finish(())?;
    Ok(Instance {
        decimals: super::Decimals::default(),
        mentees,
        mentors,
        scores,
        constraints: Constraints::default(),
        names: Names::Positions,
        coverage_first: header.coverage_first,
    })
}

fn sparse_scores(
    source: &mut impl Read,
    header: &Header,
    wrong: &mut Violations,
) -> Result<SparseScores, Violations> {
    let mut starts: Vec<usize> = room(header.mentees + 1)?;
    numbers::<u64>(source, header.mentees + 1, |start| {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let least = starts.last().copied().unwrap_or(0);
        if start < least || start > header.scores || (starts.is_empty() && start != 0) {
            wrong.add(
                message!("row {at}", at = starts.len().to_string()),
                "begins before the previous row, or after the last candidate; create the file again",
            );
        }
        starts.push(start.clamp(least, header.scores));
    })?;
    if starts.last() != Some(&header.scores) {
        wrong.add(
            message!("row {at}", at = header.mentees.to_string()),
            "does not end with the last score; create the file again",
        );
    }
    let mut edges = room(header.scores)?;
    numbers::<u32>(source, header.scores, |to| {
        if to as usize >= header.mentors {
            wrong.add(
                message!("candidate {at}", at = edges.len().to_string()),
                message!(
                    "names the mentor {mentor}, whom the problem does not have; create the file again",
                    mentor = to.to_string()
                ),
            );
        }
        edges.push(Edge { to, score: 0 });
    })?;
    let mut at = edges.iter_mut();
    numbers::<i32>(source, header.scores, |score| {
        if let Some(edge) = at.next() {
            edge.score = score;
        }
    })?;
    std::mem::take(wrong).finish(())?;
    SparseScores::new(starts, edges, &Unobserved).map_err(|error| {
        match error {
            SparseError::Pair { mentee, mentor } => refuse(
                message!("mentee {at}", at = mentee.to_string()),
                message!(
                    "the pair of mentee {mentee} and mentor {mentor} is listed twice, or has the reserved score {score}; create the file again",
                    mentee = mentee.to_string(),
                    mentor = mentor.to_string(),
                    score = FORBIDDEN.to_string()
                ),
            ),
            SparseError::Stopped(stopped) => refuse(message!("candidates"), stopped.to_string()),
        }
    })
}

struct Header {
    dense: bool,
    coverage_first: bool,
    mentees: usize,
    mentors: usize,
    scores: usize,
}

impl Header {
    const LENGTH: u64 = 40;

    fn read(source: &mut impl Read, length: u64) -> Result<Self, Violations> {
        let mut magic = [0; 8];
        source.read_exact(&mut magic).map_err(|_| {
            refuse(message!("header"), "the file is shorter than a header; create the file again")
        })?;
        if magic != MAGIC {
            return Err(refuse(
                message!("header"),
                "the file does not begin with MMINST01; give a file in .mm format",
            ));
        }
        let (mut words, mut sizes) = (Vec::new(), Vec::new());
        numbers::<u32>(source, 2, |word| words.push(word))?;
        numbers::<u64>(source, 3, |size| sizes.push(size))?;
        let (&[kind, flags], &[mentees, mentors, scores]) = (words.as_slice(), sizes.as_slice()) else {
            return Err(refuse(
                message!("header"),
                "the file is shorter than a header; create the file again",
            ));
        };
        if kind > 1 {
            return Err(refuse(
                message!("header"),
                message!(
                    "kind {kind} is neither 0 (dense) nor 1 (sparse); create the file again",
                    kind = kind
                ),
            ));
        }
        let dense = kind == 0;
        if dense && mentees.checked_mul(mentors) != Some(scores) {
            return Err(refuse(
                message!("header"),
                message!(
                    "{scores} scores are not {mentees} x {mentors}; create the file again",
                    scores = scores,
                    mentees = mentees,
                    mentors = mentors
                ),
            ));
        }
        let of_rows =
            if dense { Some(0) } else { mentees.checked_add(1).and_then(|rows| rows.checked_mul(8)) };
        let of_scores = scores.checked_mul(if dense { 4 } else { 8 });
        let people = mentees.checked_add(mentors).and_then(|people| people.checked_mul(4));
        let whole = [of_rows, of_scores, people]
            .into_iter()
            .try_fold(Self::LENGTH, |sum, part| part.and_then(|part| sum.checked_add(part)));
        if whole != Some(length) {
            let what = match whole {
                Some(whole) => message!(
                    "the file has {length} bytes, but its header requires {whole}; create the file again",
                    length = length,
                    whole = whole
                ),
                None => message!(
                    "the file has {length} bytes, but its header requires more than 2^64; create the file again",
                    length = length
                ),
            };
            return Err(refuse(message!("header"), what));
        }
        let size = |size| {
            usize::try_from(size)
                .map_err(|_| refuse(message!("header"), "the problem is too large for this machine"))
        };
        if mentees.max(mentors) >= u64::from(u32::MAX) {
            return Err(refuse(message!("header"), "no side may have more than 4,294,967,294 people"));
        }
        Ok(Self {
            dense,
            coverage_first: flags & 1 == 1,
            mentees: size(mentees)?,
            mentors: size(mentors)?,
            scores: size(scores)?,
        })
    }
}

/// A number in the byte order of the file.
trait Number: bytemuck::Pod {
    fn native(self) -> Self;
}

impl Number for i32 {
    fn native(self) -> Self {
        Self::from_le(self)
    }
}

impl Number for u32 {
    fn native(self) -> Self {
        Self::from_le(self)
    }
}

impl Number for u64 {
    fn native(self) -> Self {
        Self::from_le(self)
    }
}

/// Reads `count` numbers in chunks.
fn numbers<T: Number>(
    source: &mut impl Read,
    count: usize,
    mut take: impl FnMut(T),
) -> Result<(), Violations> {
    let mut chunk = vec![T::zeroed(); count.min(CHUNK)];
    let mut left = count;
    while left > 0 {
        let part = &mut chunk[..left.min(CHUNK)];
        source.read_exact(bytemuck::cast_slice_mut(part)).map_err(|error| {
            let cause = error.to_string();
            refuse(
                message!("file"),
                message!("cannot be read: {cause}; check the disk, or create the file again", cause = cause),
            )
        })?;
        left -= part.len();
        for number in part.iter() {
            take(number.native());
        }
    }
    Ok(())
}

/// An empty vector with room for `count` entries, or a violation if the memory does not suffice.
fn room<T>(count: usize) -> Result<Vec<T>, Violations> {
    let mut room = Vec::new();
    let needed = room.try_reserve_exact(count);
    needed.map_err(|_| {
        refuse(
            message!("header"),
            "the problem needs more memory than this machine has; use a machine with more memory",
        )
    })?;
    Ok(room)
}

fn refuse(place: impl Into<Location>, what: impl Into<Message>) -> Violations {
    Violation::new(place, what).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: u32, sizes: [u64; 3], numbers: &[i32]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([kind, 1].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes
    }

    fn load(bytes: &[u8]) -> Result<Instance, Violations> {
        read(bytes, bytes.len() as u64)
    }

    #[test]
    fn dense_and_sparse_files_of_one_problem_read_the_same() {
        let people = [1, 2, 3, 0];
        let dense = file(0, [2, 2, 4], &[&people[..], &[7, FORBIDDEN, -3, 9]].concat());
        let rows = [0, 0, 1, 0, 3, 0];
        let sparse = file(1, [2, 2, 3], &[&people[..], &rows, &[0, 0, 1], &[7, -3, 9]].concat());
        for bytes in [dense, sparse] {
            let instance = load(&bytes).unwrap();
            assert!(instance.coverage_first);
            assert_eq!(instance.mentees, [1, 2].map(|wanted| Demand { tier: 0, wanted, pinned: 0 }));
            assert_eq!(instance.mentors, [3, 0].map(|max| Seats { min: 0, max }));
            let mut tile = [0; 4];
            instance.problem().scores.tile(0..2, 0..2, &mut tile);
            assert_eq!(tile, [7, FORBIDDEN, -3, 9]);
        }
    }

    #[test]
    fn a_file_with_a_wrong_header_is_rejected_with_all_violations() {
        let told = |bytes: &[u8]| {
            load(bytes).unwrap_err().listed().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert!(told(b"MMINST02").contains("MMINST01"));
        assert!(told(b"MM").contains("shorter"));
        assert!(told(&file(2, [0, 0, 0], &[])).contains("kind 2"));
        assert!(told(&file(0, [2, 2, 5], &[])).contains("not 2 x 2"));
        assert!(told(&file(0, [1 << 40, 1 << 40, 0], &[])).contains("not"));
        assert!(told(&file(1, [u64::MAX, 1, 0], &[])).contains("2^64"));
        assert!(told(&file(0, [1, 1, 1], &[1, 1])).contains("has 48 bytes, but its header requires 52"));
        let people = told(&file(0, [1, 1, 1], &[3, -1, 5]));
        assert!(people.contains("mentee 0: wants 3") && people.contains("mentor 0: has -1"), "{people}");
        let rows = told(&file(1, [1, 1, 2], &[1, 1, 1, 0, 1, 0, 0, 4, 5, 5]));
        assert!(
            rows.contains("row 0") && rows.contains("row 1") && rows.contains("names the mentor 4"),
            "{rows}"
        );
        let twice = told(&file(1, [1, 1, 2], &[1, 1, 0, 0, 2, 0, 0, 0, 5, 6]));
        assert!(twice.contains("listed twice"), "{twice}");
    }
}
