//! A problem as three CSV files with a header line each:
//!
//! - mentees: `mentee`, and if wanted `tier` (0 to 255, 0 first; default 0) and `wanted` (0 to 2 mentors; default 1);
//! - mentors: `mentor`, and if wanted `max` (seats; default 1) and `min` (fewest mentees that make it worthwhile; default 0);
//! - scores: `mentee`, `mentor`, `score`, one line per candidate. A pair without a line is no candidate.
//!
//! People are ordered by a hash of their names, so the order of lines never matters. All that is wrong is told at once.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::str::FromStr;

use super::builder::Builder;
use super::{Instance, Names, Violations};
use crate::engine::problem::{Demand, FORBIDDEN, Seats};
use csv::{ReaderBuilder, StringRecord, Trim};

/// A file to read: its name for messages, and its bytes.
#[derive(Debug)]
pub struct File<R> {
    /// What messages call it.
    pub name: String,
    /// Its bytes.
    pub bytes: R,
}

/// Reads a problem in which as many people as possible come before any score.
pub fn read<R: Read>(mentees: File<R>, mentors: File<R>, scores: File<R>) -> Result<Instance, Violations> {
    let mut problem = Builder::default();
    let mut wrong = Violations::default();
    let name = mentees.name.clone();
    each_row(mentees, &["mentee"], &["tier", "wanted"], &mut wrong, |row, wrong| {
        let tier = row.number("tier", 0, 0, u8::MAX, wrong);
        let demand = Demand { tier, wanted: row.number("wanted", 1, 0, 2, wrong), pinned: 0 };
        problem.mentee(row.text("mentee"), demand, row.line(), |line| place(&name, line));
    });
    let name = mentors.name.clone();
    each_row(mentors, &["mentor"], &["min", "max"], &mut wrong, |row, wrong| {
        let min = row.number("min", 0, 0, u32::MAX, wrong);
        let seats = Seats { min, max: row.number("max", 1, 0, u32::MAX, wrong) };
        problem.mentor(row.text("mentor"), seats, row.line(), |line| place(&name, line));
    });
    let name = scores.name.clone();
    each_row(scores, &["mentee", "mentor", "score"], &[], &mut wrong, |row, wrong| {
        let score = row.number("score", 0, FORBIDDEN + 1, i32::MAX, wrong);
        let named = [row.text("mentee"), row.text("mentor")];
        problem.candidate(named[0], named[1], score, row.line(), |line| place(&name, line));
    });
    problem.refuse(wrong);
    problem.finish(true, |line| place(&name, line))
}

fn place(file: &str, line: u64) -> String {
    format!("{file}, line {line}")
}

/// Writes pairs by name, with their scores, ordered as given.
pub fn write_pairs(instance: &Instance, pairs: &[(u32, u32)], sink: impl Write) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(["mentee", "mentor", "score"])?;
    let problem = instance.problem();
    for &(mentee, mentor) in pairs {
        let (at, to) = (mentee as usize, mentor as usize);
        let score = problem.scores.score(at, to).map(|score| score.to_string()).unwrap_or_default();
        writer.write_record([instance.names.mentee(at), instance.names.mentor(to), score])?;
    }
    writer.flush()?;
    Ok(())
}

/// Reads pairs of an instance back. Scores beside them are not read: they are the instance's.
pub fn read_pairs<R: Read>(instance: &Instance, file: File<R>) -> Result<Vec<(u32, u32)>, Violations> {
    let mut wrong = Violations::default();
    let mut pairs = Vec::new();
    let given: Option<[HashMap<&str, u32>; 2]> = match &instance.names {
        Names::Positions => None,
        Names::Given(mentees, mentors) => {
            Some([mentees, mentors].map(|names| names.iter().map(String::as_str).zip(0..).collect()))
        }
    };
    let position = |side: usize, name: &str| match &given {
        Some(names) => names[side].get(name).copied(),
        None => name.parse().ok(),
    };
    each_row(file, &["mentee", "mentor"], &["score"], &mut wrong, |row, wrong| {
        let named = [row.text("mentee"), row.text("mentor")];
        match (position(0, named[0]), position(1, named[1])) {
            (Some(mentee), Some(mentor)) => pairs.push((mentee, mentor)),
            _ => wrong.add(row.place(), format!("nobody is called `{}` and `{}`", named[0], named[1])),
        }
    });
    wrong.none()?;
    Ok(pairs)
}

/// A line of a file, by the names of its columns.
struct Row<'a> {
    file: &'a str,
    columns: &'a HashMap<String, usize>,
    required: &'a [&'a str],
    record: &'a StringRecord,
}

impl Row<'_> {
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn place(&self) -> String {
        place(self.file, self.line())
    }

    fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|at| self.record.get(*at)).unwrap_or_default()
    }

    /// A whole number; in an optional column that is missing or empty, the default.
    fn number<T: FromStr + Copy + Ord + std::fmt::Display>(
        &self,
        column: &str,
        default: T,
        least: T,
        most: T,
        wrong: &mut Violations,
    ) -> T {
        let text = self.text(column);
        if text.is_empty() && !self.required.contains(&column) {
            return default;
        }
        match text.parse::<T>() {
            Ok(number) if number >= least && number <= most => number,
            _ => {
                let what = format!("`{column}` is `{text}`; give a whole number from {least} to {most}");
                wrong.add(self.place(), what);
                default
            }
        }
    }
}

fn each_row<R: Read>(
    file: File<R>,
    required: &[&str],
    optional: &[&str],
    wrong: &mut Violations,
    mut take: impl FnMut(&Row<'_>, &mut Violations),
) {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file.bytes);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return wrong.add(file.name, format!("cannot be read: {error}")),
    };
    let mut columns = HashMap::new();
    for (at, column) in header.iter().enumerate() {
        let column = column.trim_start_matches('\u{feff}').to_lowercase();
        let known = required.contains(&column.as_str()) || optional.contains(&column.as_str());
        if !known || columns.insert(column.clone(), at).is_some() {
            let all = [required, optional].concat().join(", ");
            wrong.add(format!("{}, line 1", file.name), format!("column `{column}` is not one of: {all}"));
        }
    }
    for column in required.iter().filter(|column| !columns.contains_key(**column)) {
        wrong.add(format!("{}, line 1", file.name), format!("column `{column}` is missing"));
    }
    if required.iter().any(|column| !columns.contains_key(*column)) {
        return;
    }
    for record in reader.records() {
        match record {
            Ok(record) => {
                take(&Row { file: &file.name, columns: &columns, required, record: &record }, wrong)
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                wrong.add(place(&file.name, line), format!("cannot be read: {error}"));
                if matches!(error.kind(), csv::ErrorKind::Io(_)) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(name: &str, text: &'a str) -> File<&'a [u8]> {
        File { name: name.to_owned(), bytes: text.as_bytes() }
    }

    fn load(mentees: &str, mentors: &str, scores: &str) -> Result<Instance, Violations> {
        read(file("mentees.csv", mentees), file("mentors.csv", mentors), file("scores.csv", scores))
    }

    #[test]
    fn the_order_of_lines_does_not_matter_and_names_come_back() {
        let one = load(
            "mentee,tier,wanted\nada,0,1\nbo,1,2\n",
            "mentor,max\nxi,2\nyu,1\n",
            "mentee,mentor,score\nada,xi,5\nbo,yu,7\nbo,xi,-1\n",
        );
        let other = load(
            "wanted,mentee,tier\n2,bo,1\n1,ada,0\n",
            "mentor,max\nyu,1\nxi,2\n",
            "score,mentor,mentee\n-1,xi,bo\n7,yu,bo\n5,xi,ada\n",
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.mentees, other.mentees);
        let mut text = Vec::new();
        let ada = u32::from(one.names.mentee(1) == "ada");
        let pairs = [(ada, u32::from(one.names.mentor(1) == "xi")), (1 - ada, 0)];
        write_pairs(&one, &pairs, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("mentee,mentor,score\nada,xi,5\nbo,"), "{text}");
        assert_eq!(read_pairs(&other, file("pairs.csv", &text)).unwrap(), pairs);
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_line() {
        let wrong = load(
            "mentee,tier,wanted\nada,,3\nada,300,1\n,0,\n",
            "mentor,max,min,shoes\nxi,1,2,9\n",
            "mentee,mentor,score\nada,xi,5\nada,xi,6\nbo,xi,1\nada,zed,x\n",
        );
        let told: Vec<String> = wrong.unwrap_err().listed.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        mentees.csv, line 3: `ada` stands at mentees.csv, line 2 already
        mentees.csv, line 4: `` is no name: give 1 to 256 bytes
        mentors.csv, line 2: min 2 is more than max 1
        scores.csv, line 4: there is no mentee `bo`
        scores.csv, line 5: there is no mentor `zed`
        mentees.csv, line 2: `wanted` is `3`; give a whole number from 0 to 2
        mentees.csv, line 3: `tier` is `300`; give a whole number from 0 to 255
        mentors.csv, line 1: column `shoes` is not one of: mentor, min, max
        scores.csv, line 5: `score` is `x`; give a whole number from -2147483647 to 2147483647
        scores.csv, line 3: scores.csv, line 2 has this pair already
        ");
    }
}
