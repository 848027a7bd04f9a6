//! Reads and writes problems as CSV files. Each file has a header line with these columns:
//!
//! | file | required columns | optional columns |
//! |---|---|---|
//! | mentees | `mentee` | `tier` (0 to 255, 0 first; default 0), `wanted` (0 to 2 mentors; default 1), `group` (the innermost) |
//! | mentors | `mentor` | `max` (places; default 1), `min` (fewest mentees that make the offer worthwhile; default 0), `group` |
//! | scores | `mentee`, `mentor`, `score` | |
//! | decisions (optional) | `mentee`, `mentor`, `decision` (`pin` or `veto`) | |
//! | groups (optional) | `group`, `side` (`mentees` or `mentors`) | `parent`, `min` (pairs; default 0), `max` (pairs; default no bound) |
//!
//! The file of scores has one line per candidate; a pair without a line is not a candidate. Scores may have decimals: all
//! scores are then integers in units of the last decimal ([`Decimals`](super::Decimals)). A group of mentees and a group
//! of mentors may have the same name. The order of lines never matters. All violations are reported at once.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::str::FromStr;

use super::Instance;
use super::builder::{Bounds, Builder, Decision, PlaceNames};
use super::decimals::Decimal;
use crate::domain::message::{Message, MessageValue};
use crate::domain::violation::{Location, Violations, excerpt};
use crate::engine::certificate::GroupSide;
use crate::engine::problem::{Demand, Seats};
use crate::message;
use crate::table::{Note, OpenError, Record, Table};

/// A file to read.
#[derive(Debug)]
pub struct File<R> {
    /// Name of the file in error messages.
    pub name: String,
    /// Content of the file.
    pub bytes: R,
}

/// The files of a problem.
#[derive(Debug)]
pub struct Files<R> {
    /// Mentees with their demands.
    pub mentees: File<R>,
    /// Mentors with their places.
    pub mentors: File<R>,
    /// Candidates with their scores.
    pub scores: File<R>,
    /// Pins and vetoes.
    pub decisions: Option<File<R>>,
    /// Groups with floors and ceilings.
    pub groups: Option<File<R>>,
}

/// What a reader of a file should know, with the name of the file.
pub type Notes = Vec<(String, Note)>;

/// Reads a problem in which the number of matched people comes before the total score. What the reader of the files should
/// know is added to `notes`, whether the problem is good or not.
pub fn read<R: Read>(files: Files<R>, notes: &mut Notes) -> Result<Instance, Violations> {
    let Files { mentees, mentors, scores, decisions, groups } = files;
    let mut problem = Builder::default();
    let mut wrong = Violations::default();
    let called = |file: &Option<File<R>>| file.as_ref().map(|file| file.name.clone()).unwrap_or_default();
    let group_file = called(&groups);
    if let Some(groups) = groups {
        each_row(groups, &["group", "side"], &["parent", "min", "max"], (&mut wrong, notes), |row, wrong| {
            let side = row.one_of("side", [("mentees", GroupSide::Mentees), ("mentors", GroupSide::Mentors)]);
            let min = row.number("min", 0, 0, u32::MAX, wrong);
            let bounds = Bounds { min, max: row.number("max", u32::MAX, 0, u32::MAX, wrong) };
            let names = (row.text("group"), row.text("parent"));
            match side {
                Ok(side) => problem.group(side, names, bounds, row.line(), |line| place(&group_file, line)),
                Err(what) => wrong.add(row.place(), what),
            }
        });
    }
    let name = mentees.name.clone();
    each_row(mentees, &["mentee"], &["tier", "wanted", "group"], (&mut wrong, notes), |row, wrong| {
        let tier = row.number("tier", 0, 0, u8::MAX, wrong);
        let demand = Demand { tier, wanted: row.number("wanted", 1, 0, 2, wrong), pinned: 0 };
        let names = (row.text("mentee"), row.text("group"));
        problem.mentee(names, demand, row.line(), |line| place(&name, line));
    });
    let name = mentors.name.clone();
    each_row(mentors, &["mentor"], &["min", "max", "group"], (&mut wrong, notes), |row, wrong| {
        let min = row.number("min", 0, 0, u32::MAX, wrong);
        let seats = Seats { min, max: row.number("max", 1, 0, u32::MAX, wrong) };
        let names = (row.text("mentor"), row.text("group"));
        problem.mentor(names, seats, row.line(), |line| place(&name, line));
    });
    let score_file = scores.name.clone();
    each_row(scores, &["mentee", "mentor", "score"], &[], (&mut wrong, notes), |row, wrong| {
        let text = row.text("score");
        if let Some(score) = Decimal::read(text, row.has_decimal_comma) {
            problem.decimal_candidate(row.pair(), score, row.line(), |line| place(&score_file, line));
        } else {
            // The names are checked too.
            problem.candidate(row.pair(), 0, row.line(), |line| place(&score_file, line));
            wrong.add(row.place(), score_is_wrong(text));
        }
    });
    let decision_file = called(&decisions);
    if let Some(decisions) = decisions {
        each_row(decisions, &["mentee", "mentor", "decision"], &[], (&mut wrong, notes), |row, wrong| {
            match row.one_of("decision", [("pin", Decision::Pin), ("veto", Decision::Veto)]) {
                Ok(decision) => {
                    problem.decision(row.pair(), decision, row.line(), |line| place(&decision_file, line));
                }
                Err(what) => wrong.add(row.place(), what),
            }
        });
    }
    problem.refuse(wrong);
    let place_names = PlaceNames {
        candidate: &|line| place(&score_file, line),
        decision: &|line| place(&decision_file, line),
        group: &|line| place(&group_file, line),
    };
    problem.finish(true, place_names)
}

fn score_is_wrong(text: &str) -> Message {
    message!(
        "`score` is `{value}`; give a number with at most 9 decimals, for example 37 or 37.11, without separators of thousands",
        value = excerpt(text)
    )
}

fn place(file: &str, line: u64) -> Location {
    Location::line(file, line)
}

/// Writes pairs by name, with their scores, in the given order.
pub fn write_pairs(instance: &Instance, pairs: &[(u32, u32)], sink: impl Write) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(["mentee", "mentor", "score"])?;
    let problem = instance.problem();
    for &(mentee, mentor) in pairs {
        let (at, to) = (mentee as usize, mentor as usize);
        let score = problem
            .scores
            .score(at, to)
            .map(|score| instance.decimals.shown(score.into()))
            .unwrap_or_default();
        writer.write_record([instance.names.mentee(at), instance.names.mentor(to), score])?;
    }
    writer.flush()?;
    Ok(())
}

/// Reads pairs of an instance. A column of scores is ignored, because the instance has the scores.
pub fn read_pairs<R: Read>(
    instance: &Instance,
    file: File<R>,
    notes: &mut Notes,
) -> Result<Vec<(u32, u32)>, Violations> {
    let mut wrong = Violations::default();
    let mut pairs = Vec::new();
    let finder = instance.names.finder();
    each_row(file, &["mentee", "mentor"], &["score"], (&mut wrong, notes), |row, wrong| {
        let (mentee, mentor) = row.pair();
        match (finder.mentee(mentee), finder.mentor(mentor)) {
            (Some(mentee), Some(mentor)) => pairs.push((mentee, mentor)),
            _ => wrong.add(
                row.place(),
                match (finder.mentee(mentee), finder.mentor(mentor)) {
                    (None, _) => message!(
                        "the problem has no mentee `{name}`; use the pairs of this problem",
                        name = excerpt(mentee)
                    ),
                    _ => message!(
                        "the problem has no mentor `{name}`; use the pairs of this problem",
                        name = excerpt(mentor)
                    ),
                },
            ),
        }
    });
    wrong.finish(())?;
    Ok(pairs)
}

/// Reads pairs of an earlier result. Returns the pairs whose people are both in the instance, and the number of the others.
pub fn read_known_pairs<R: Read>(
    instance: &Instance,
    file: File<R>,
    notes: &mut Notes,
) -> Result<(Vec<(u32, u32)>, u64), Violations> {
    let mut wrong = Violations::default();
    let (mut pairs, mut others) = (Vec::new(), 0);
    let finder = instance.names.finder();
    each_row(file, &["mentee", "mentor"], &["score"], (&mut wrong, notes), |row, _| {
        let (mentee, mentor) = row.pair();
        let mentee = finder.mentee(mentee).filter(|at| (*at as usize) < instance.mentees.len());
        let mentor = finder.mentor(mentor).filter(|at| (*at as usize) < instance.mentors.len());
        match (mentee, mentor) {
            (Some(mentee), Some(mentor)) => pairs.push((mentee, mentor)),
            _ => others += 1,
        }
    });
    wrong.finish(())?;
    Ok((pairs, others))
}

/// A line of a file, with access by column name.
struct Row<'a> {
    file: &'a str,
    columns: &'a HashMap<String, usize>,
    required: &'a [&'a str],
    record: &'a Record,
    has_decimal_comma: bool,
}

impl Row<'_> {
    fn line(&self) -> u64 {
        self.record.line
    }

    fn place(&self) -> Location {
        place(self.file, self.line())
    }

    fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|at| self.record.text(*at)).unwrap_or_default()
    }

    fn pair(&self) -> (&str, &str) {
        (self.text("mentee"), self.text("mentor"))
    }

    /// The value of one of two words, or a description of the violation.
    fn one_of<T: Copy>(&self, column: &str, words: [(&str, T); 2]) -> Result<T, Message> {
        let text = self.text(column);
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let [one, other] = words.map(|(word, _)| word);
            message!(
                "`{column}` is `{value}`; give {one} or {other}",
                column = column,
                value = excerpt(text),
                one = one,
                other = other
            )
        })
    }

    /// A whole number from `least` to `most`; the default if an optional column is absent or empty.
    fn number<T: FromStr + Copy + Ord + Into<i128>>(
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
                let what = message!(
                    "`{column}` is `{value}`; give a whole number from {least} to {most}",
                    column = column,
                    value = excerpt(text),
                    least = MessageValue::Number(least.into()),
                    most = MessageValue::Number(most.into())
                );
                wrong.add(self.place(), what);
                default
            }
        }
    }
}

/// Calls `take` for every row of a file with the given columns.
fn each_row<R: Read>(
    file: File<R>,
    required: &[&str],
    optional: &[&str],
    (wrong, notes): (&mut Violations, &mut Notes),
    take: impl FnMut(&Row<'_>, &mut Violations),
) {
    let mut table = match Table::open(file.bytes) {
        Ok(table) => table,
        Err(OpenError::Io(error)) => {
            return wrong.add(file.name, message!("cannot be read: {cause}", cause = error.to_string()));
        }
        Err(OpenError::Empty) => {
            let columns = required.join(", ");
            let what = message!("is empty; begin with a header line: {columns}", columns = columns);
            return wrong.add(file.name, what);
        }
        Err(OpenError::OtherKind(kind)) => {
            let cause = message!("the file is {kind}", kind = Message::from(kind));
            let cause = message!("{wrong}; {hint}", wrong = cause, hint = Message::from(OpenError::HINT));
            return wrong.add(file.name, message!("cannot be read: {cause}", cause = cause));
        }
    };
    rows_of(&mut table, &file.name, (required, optional), wrong, take);
    notes.extend(table.note().map(|note| (file.name, note)));
}

/// Calls `take` for every row of an open table whose columns are right.
fn rows_of<R: Read>(
    table: &mut Table<R>,
    file: &str,
    (required, optional): (&[&str], &[&str]),
    wrong: &mut Violations,
    mut take: impl FnMut(&Row<'_>, &mut Violations),
) {
    let header = table.record();
    let header_place = place(file, header.line);
    let mut columns = HashMap::new();
    let mut nameless = Vec::new();
    for at in 0..header.len() {
        let Some(column) = header.text(at).map(str::to_lowercase) else {
            wrong.add(header_place.clone(), message!("the header of column {at} is no text", at = at + 1));
            continue;
        };
        let known = required.contains(&column.as_str()) || optional.contains(&column.as_str());
        if column.is_empty() {
            nameless.push(at);
        } else if !known {
            let all = [required, optional].concat().join(", ");
            let what = message!(
                "column `{column}` is unknown; the columns are {all}",
                column = excerpt(&column),
                all = all
            );
            wrong.add(header_place.clone(), what);
        } else if columns.insert(column.clone(), at).is_some() {
            let what = message!("column `{column}` occurs twice; remove one", column = column);
            wrong.add(header_place.clone(), what);
        }
    }
    let width = header.len();
    for column in required.iter().filter(|column| !columns.contains_key(**column)) {
        let what = message!("column `{column}` is missing; add the column", column = *column);
        wrong.add(header_place.clone(), what);
    }
    if required.iter().any(|column| !columns.contains_key(*column)) {
        return;
    }
    let has_decimal_comma = table.has_decimal_comma();
    loop {
        match table.read() {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let place = place(file, table.record().line);
                let cause = error.to_string();
                return wrong
                    .add(place, message!("the file cannot be read after this line: {cause}", cause = cause));
            }
        }
        let record = table.record();
        let outside = nameless.iter().copied().find(|at| !record.cell(*at).trim_ascii().is_empty());
        let unusable = if record.oversize.is_some() {
            Some(message!("the line is too long; a quotation mark may be missing"))
        } else if record.len() > width || outside.is_some() {
            let at = outside.unwrap_or(width);
            let value = excerpt(&String::from_utf8_lossy(record.cell(at)));
            Some(message!(
                "`{value}` stands in a column without a header; remove the cell or quote the cell before",
                value = value
            ))
        } else if (0..record.len()).any(|at| record.text(at).is_none()) {
            Some(message!("the line is no text in UTF-8; save the file as CSV (UTF-8)"))
        } else {
            None
        };
        if let Some(what) = unusable {
            wrong.add(place(file, record.line), what)
        } else {
            let row = Row { file, columns: &columns, required, record, has_decimal_comma };
            take(&row, wrong);
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
        read(
            Files {
                mentees: file("mentees.csv", mentees),
                mentors: file("mentors.csv", mentors),
                scores: file("scores.csv", scores),
                decisions: None,
                groups: None,
            },
            &mut Vec::new(),
        )
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
        assert_eq!(read_pairs(&other, file("pairs.csv", &text), &mut Vec::new()).unwrap(), pairs);
    }

    #[test]
    fn all_violations_are_reported_at_once_with_their_lines() {
        let wrong = load(
            "mentee,tier,wanted\nada,,3\nada,300,1\n,0,\n",
            "mentor,max,min,shoes,max\nxi,1,2,9,1\n",
            "mentee,mentor,score\nada,xi,5\nada,xi,6\nbo,xi,1\nada,zed,x\n",
        );
        let told: Vec<String> = wrong.unwrap_err().listed().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        mentees.csv, line 3: repeats the name `ada` of mentees.csv, line 2; give each person one entry
        mentees.csv, line 4: the name `` is empty or too long; give 1 to 256 bytes
        mentors.csv, line 2: min 2 is above max 1; lower min or raise max
        scores.csv, line 4: the problem has no mentee `bo`; add the mentee or correct the name
        scores.csv, line 5: the problem has no mentor `zed`; add the mentor or correct the name
        mentees.csv, line 2: `wanted` is `3`; give a whole number from 0 to 2
        mentees.csv, line 3: `tier` is `300`; give a whole number from 0 to 255
        mentors.csv, line 1: column `shoes` is unknown; the columns are mentor, min, max, group
        mentors.csv, line 1: column `max` occurs twice; remove one
        scores.csv, line 5: `score` is `x`; give a number with at most 9 decimals, for example 37 or 37.11, without separators of thousands
        scores.csv, line 3: repeats the pair of scores.csv, line 2; remove one of the two
        ");
    }

    #[test]
    fn all_violations_of_decisions_and_groups_are_reported_at_once_with_their_lines() {
        let load = |mentees: &str, decisions: &str, groups: &str| {
            read(
                Files {
                    mentees: file("mentees.csv", mentees),
                    mentors: file("mentors.csv", "mentor,max\nxi,1\nyu,2\n"),
                    scores: file("scores.csv", "mentee,mentor,score\nada,xi,5\nbo,xi,7\nbo,yu,1\n"),
                    decisions: Some(file("decisions.csv", decisions)),
                    groups: Some(file("groups.csv", groups)),
                },
                &mut Vec::new(),
            )
        };
        let told = |wrong: Violations| {
            wrong.listed().iter().map(ToString::to_string).collect::<Vec<String>>().join("\n")
        };
        let wrong = load(
            "mentee,group\nada,east\nbo,west\n",
            "mentee,mentor,decision\nada,zed,pin\nbo,xi,perhaps\n",
            "group,side,parent,min,max\nwest,mentees,loop,3,2\nloop,mentees,west,,\n\"a,b\",mentors,,,\nwest,mentees,,,\nnone,both,,,\n",
        );
        insta::assert_snapshot!(told(wrong.unwrap_err()), @r"
        groups.csv, line 2: min 3 is above max 2; lower min or raise max
        groups.csv, line 4: `a,b` is not the name of a group; give 1 to 256 bytes without a comma
        groups.csv, line 5: repeats the name `west` of groups.csv, line 2; give each group one entry
        decisions.csv, line 2: the problem has no mentor `zed`; add the mentor or correct the name
        groups.csv, line 6: `side` is `both`; give mentees or mentors
        decisions.csv, line 3: `decision` is `perhaps`; give pin or veto
        groups.csv, line 2: `west` contains itself, or is inside more than 64 groups; correct the parents
        groups.csv, line 3: `loop` contains itself, or is inside more than 64 groups; correct the parents
        mentees.csv, line 2: the problem has no group `east` of mentees; add the group or correct the name
        ");
        let wrong = load(
            "mentee,wanted,group\nada,1,west\nbo,2,west\n",
            "mentee,mentor,decision\nada,xi,pin\nbo,xi,pin\nada,yu,pin\nbo,yu,pin\nbo,yu,veto\n",
            "group,side,max\nwest,mentees,1\n",
        );
        insta::assert_snapshot!(told(wrong.unwrap_err()), @r"
        decisions.csv, line 4: the pair (ada, yu) is pinned, but not a candidate; add it to the candidates or remove the pin
        decisions.csv, line 6: the pair (bo, yu) is pinned and vetoed; remove one of the two decisions
        decisions.csv, line 4: mentee `ada` has more pins (2) than mentors wanted (1); remove pins
        decisions.csv, line 3: mentor `xi` has more pins (2) than places (1); remove pins
        groups.csv, line 2: the group `west` of mentees has more pins (4) than its max (1); remove pins
        ");
    }

    #[test]
    fn names_of_groups_are_checked_in_every_file() {
        let long = "x".repeat(257);
        let wrong = read(
            Files {
                mentees: file("mentees.csv", &format!("mentee,group\nada,{long}\n")),
                mentors: file("mentors.csv", "mentor,group\nxi,\"a,b\"\n"),
                scores: file("scores.csv", "mentee,mentor,score\n"),
                decisions: None,
                groups: Some(file("groups.csv", &format!("group,side,parent\nlima,mentees,{long}\n"))),
            },
            &mut Vec::new(),
        );
        let places: Vec<String> =
            wrong.unwrap_err().listed().iter().map(|wrong| wrong.field.clone()).collect();
        assert_eq!(places, ["groups.csv, line 2", "mentees.csv, line 2", "mentors.csv, line 2"]);
    }

    #[test]
    fn the_same_decision_twice_is_one_decision() {
        let instance = read(
            Files {
                mentees: file("mentees.csv", "mentee,group\nada,lima\nbo,lima\n"),
                mentors: file("mentors.csv", "mentor,max\nxi,2\n"),
                scores: file("scores.csv", "mentee,mentor,score\nada,xi,5\nbo,xi,7\n"),
                decisions: Some(file(
                    "decisions.csv",
                    "mentee,mentor,decision\nada,xi,pin\nbo,xi,veto\nbo,xi,veto\nada,xi,pin\n",
                )),
                groups: Some(file("groups.csv", "group,side,max\nlima,mentees,1\n")),
            },
            &mut Vec::new(),
        );
        let decisions = instance.unwrap().constraints.decisions;
        assert_eq!((decisions.pins.len(), decisions.vetoes.len()), (1, 1));
    }

    #[test]
    fn groups_may_be_in_any_order_and_contain_their_people() {
        let load = |groups: &str| {
            let instance = read(
                Files {
                    mentees: file("mentees.csv", "mentee,group\nada,lima\nbo,\n"),
                    mentors: file("mentors.csv", "mentor,group\nxi,lima\n"),
                    scores: file("scores.csv", "mentee,mentor,score\nada,xi,5\n"),
                    decisions: None,
                    groups: Some(file("groups.csv", groups)),
                },
                &mut Vec::new(),
            );
            instance.unwrap()
        };
        let one =
            load("group,side,parent,min,max\nlima,mentees,peru,1,\nperu,mentees,,,7\nlima,mentors,,,\n");
        let other =
            load("max,min,side,group,parent\n,,mentors,lima,\n7,,mentees,peru,\n,1,mentees,lima,peru\n");
        assert_eq!(one.constraints, other.constraints);
        let mentees = &one.constraints.quotas.mentees;
        let ada = usize::from(one.names.mentee(1) == "ada");
        let lima = mentees.innermost(ada).unwrap();
        assert_eq!(one.names.group(GroupSide::Mentees, lima as usize), "lima");
        let groups = mentees.groups();
        assert_eq!((groups[lima as usize].floor, groups[lima as usize].parent), (1, Some(0)));
        assert_eq!((groups[0].ceiling, mentees.innermost(1 - ada)), (7, None));
    }
}
