//! Problems with scores of one's own, from the command line: files in, files and sentences out.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with the files of a problem.
struct Folder(TempDir);

const MENTEES: &str = "\
mentee,tier,wanted,group
ana,0,1,north
bea,1,2,north
cho,1,1,south
dee,1,1,south
eva,0,2,
";
const MENTORS: &str = "\
mentor,min,max,group
xan,1,1,
yara,0,3,house
zoe,1,2,house
";
const SCORES: &str = "\
mentee,mentor,score
ana,xan,90
ana,yara,40
bea,xan,60
bea,yara,70
bea,zoe,50
cho,yara,10
cho,zoe,20
dee,zoe,30
eva,yara,80
eva,zoe,25
";
const DECISIONS: &str = "\
mentee,mentor,decision
eva,yara,pin
ana,xan,veto
";
const GROUPS: &str = "\
group,side,parent,min,max
north,mentees,all,,1
south,mentees,all,1,
all,mentees,,,5
house,mentors,,2,3
";
const PLAIN: [&str; 6] = ["--mentees", "mentees.csv", "--mentors", "mentors.csv", "--scores", "scores.csv"];
const DECIDED: [&str; 4] = ["--decisions", "decisions.csv", "--groups", "groups.csv"];
const RESULT: [&str; 4] = ["--pairs", "pairs.csv", "--certificate", "proof.json"];

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in [
            ("mentees.csv", MENTEES),
            ("mentors.csv", MENTORS),
            ("scores.csv", SCORES),
            ("decisions.csv", DECISIONS),
            ("groups.csv", GROUPS),
        ] {
            folder.write(name, text);
        }
        folder
    }

    /// The same with nobody in any group.
    fn without_groups() -> Self {
        let folder = Self::new();
        for group in [",north", ",south", ",house"] {
            folder.edit("mentees.csv", group, ",");
            folder.edit("mentors.csv", group, ",");
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("is written");
    }

    fn edit(&self, name: &str, old: &str, new: &str) {
        self.write(name, &self.read(name).replace(old, new));
    }

    /// Runs a command on the problem.
    fn run(&self, command: &str, options: &[&[&str]]) -> Output {
        let program = Command::new(env!("CARGO_BIN_EXE_wim-match"))
            .current_dir(self.path())
            .args([command, "--threads", "1"])
            .args(PLAIN)
            .args(options.concat())
            .output();
        program.expect("runs")
    }

    /// What it prints when it is done.
    fn told(&self, command: &str, options: &[&[&str]]) -> String {
        let output = self.run(command, options);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    fn json(&self, command: &str, options: &[&[&str]]) -> Value {
        let told = self.told(command, &[options, &[&["--json"]]].concat());
        serde_json::from_str(&told).expect("JSON")
    }

    /// Its exit code and what it says when it fails.
    fn failure(&self, command: &str, options: &[&[&str]]) -> (Option<i32>, String) {
        let output = self.run(command, options);
        (output.status.code(), text(&output.stderr))
    }

    /// Why the checker in Python does not believe the result, nothing if it does; `None` without Python.
    fn doubted_in_python(&self) -> Option<String> {
        let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/check_proof.py");
        let files = ["mentees.csv", "mentors.csv", "scores.csv", "pairs.csv", "proof.json"];
        let mut program = Command::new("python3");
        let output = output_of(program.current_dir(self.path()).arg(checker).args(files).args(DECIDED))?;
        let told = text(&output.stderr);
        assert!(output.status.success() || told.starts_with("not proved"), "{told}");
        Some(told)
    }
}

fn output_of(program: &mut Command) -> Option<Output> {
    match program.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Past the capture of the test harness, so that it is seen.
            let _ = writeln!(std::io::stderr(), "NOT RUN: check_proof.py, for there is no python3 here");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_help_of_the_commands_for_problems_of_ones_own_is_as_reviewed() {
    let mut told = String::new();
    for command in [&[][..], &["diagnose"], &["solve"], &["verify"], &["what-if"], &["repair"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        for variable in ["WIM_MATCH_LANG", "WIM_MATCH_SERVER", "WIM_MATCH_TOKEN"] {
            program.env_remove(variable);
        }
        let output = program.args(command).arg("--help").output();
        let help = text(&output.expect("runs").stdout);
        told += &["$ wim-match ", &command.join(" "), "\n", &help, "\n"].concat();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn pins_vetoes_and_quotas_are_kept_proved_and_checked_by_two_programs() {
    let folder = Folder::new();
    let solved = folder.json("solve", &[&DECIDED, &RESULT]);
    assert_eq!((&solved["proved"], &solved["pins"], &solved["groups"]), (&true.into(), &1.into(), &4.into()));
    let pairs = folder.read("pairs.csv");
    let mut lines: Vec<&str> = pairs.lines().skip(1).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["ana,yara,40", "dee,zoe,30", "eva,yara,80"]);
    assert!(folder.told("verify", &[&DECIDED, &RESULT]).starts_with("proved"));
    assert_eq!(folder.doubted_in_python().unwrap_or_default(), "");

    let (code, told) = folder.failure("verify", &[&RESULT]);
    assert_eq!(code, Some(3), "without its groups: {told}");
    let out_of_bounds = "the group `south` of mentees has 0 pairs; its floor is 1";
    for (line, broken, in_python) in [
        ("eva,yara,80\n", "the pinned pair (eva, yara) is missing", "a pin is missing"),
        ("ana,yara,40\n", "pair (ana, xan) is vetoed", "a pair is vetoed"),
        ("dee,zoe,30\n", out_of_bounds, "a group is out of its bounds"),
    ] {
        let other = if line.starts_with("ana") { "ana,xan,90\n" } else { "" };
        folder.write("pairs.csv", &pairs.replace(line, other));
        let (code, told) = folder.failure("verify", &[&DECIDED, &RESULT]);
        assert_eq!(code, Some(3));
        assert!(told.contains(broken), "{told}");
        let doubted = folder.doubted_in_python();
        assert!(doubted.as_ref().is_none_or(|doubted| doubted.contains(in_python)), "{doubted:?}");
    }
}

/// All numbers of a proof, by their paths.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) if !path.ends_with("/tier") => found.push(path.to_owned()),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, one)| numbers(one, &format!("{path}/{at}"), found));
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, one)| numbers(one, &format!("{path}/{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_number_of_a_proof_can_be_bent() {
    let folder = Folder::new();
    folder.told("solve", &[&DECIDED, &RESULT]);
    let proof: Value = serde_json::from_str(&folder.read("proof.json")).expect("JSON");
    let mut paths = Vec::new();
    numbers(&proof, "", &mut paths);
    assert_eq!(paths.len(), 2 + 2 + 5 + 3 + 4, "weights, and prices of people and groups: {paths:?}");
    for path in paths {
        let is_weight = !path.contains("prices");
        for by in [-1_000_000_000_000_i64, 1_000_000_000_000] {
            // A weight may well be greater than it needs to be.
            if is_weight && by > 0 {
                continue;
            }
            let mut bent = proof.clone();
            let number = bent.pointer_mut(&path).expect("a number");
            *number = (number.as_i64().expect("a small one") + by).into();
            folder.write("proof.json", &bent.to_string());
            assert_eq!(folder.failure("verify", &[&DECIDED, &RESULT]).0, Some(3), "{path} by {by}");
            assert_ne!(folder.doubted_in_python().as_deref(), Some(""), "{path} by {by}");
        }
    }
    for list in ["mentee_groups", "mentor_groups"] {
        let mut other = proof.clone();
        other[list][0] = "nobody's".into();
        folder.write("proof.json", &other.to_string());
        let (_, told) = folder.failure("verify", &[&DECIDED, &RESULT]);
        assert!(told.contains("other groups"), "{told}");
        let doubted = folder.doubted_in_python();
        assert!(doubted.as_ref().is_none_or(|doubted| doubted.contains("other groups")), "{doubted:?}");
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_one_sentence_each() {
    let folder = Folder::new();
    let (code, told) = folder.failure("solve", &[&DECIDED, &["--objective", "stable"]]);
    assert_eq!(code, Some(3));
    insta::assert_snapshot!(told, @r"
    error: the problem cannot be solved for stable:
      decisions: the objective stable allows no pins; remove the pins, or choose best-total, fairest or total
      groups: the objective stable allows no floors and ceilings of groups; use best-total or total
    ");
    for (command, options) in [
        ("solve", &["--start-pairs", "scores.csv", "--start-certificate", "proof.json"][..]),
        ("what-if", &["--pairs", "p", "--certificate", "c", "--pair", "ana", "xan"]),
        ("repair", &["--published", "pairs.csv"]),
        ("diagnose", &["--recruit", "1"]),
    ] {
        let (code, told) = folder.failure(command, &[&DECIDED, options]);
        assert_eq!(code, Some(3));
        assert!(
            told.contains("requires the objective best-total or total, and a problem without groups"),
            "{command}: {told}"
        );
    }
}

#[test]
fn floors_that_nobody_can_meet_are_told_in_words_with_an_exit_code_of_their_own() {
    let folder = Folder::new();
    folder.edit("groups.csv", "south,mentees,all,1,", "south,mentees,all,2,");
    folder.edit("mentors.csv", "zoe,1,2", "zoe,1,1");
    folder.edit("scores.csv", "cho,yara,10\n", "");
    let (code, told) = folder.failure("solve", &[&DECIDED, &RESULT]);
    assert_eq!(code, Some(8));
    insta::assert_snapshot!(told);
    let output = folder.run("solve", &[&DECIDED, &["--json"]]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let unmet = &told["floors_unmet"];
    assert_eq!((&unmet["asked"], &unmet["possible"]), (&2.into(), &1.into()));
    assert_eq!(unmet["mentees"], serde_json::json!(["cho", "dee"]));
    assert_eq!((&unmet["need"], &unmet["mentee_groups"]), (&"mentees".into(), &serde_json::json!(["south"])));
    let written = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(written, 5, "nothing is left of pairs and proof");
    let told = folder.told("diagnose", &[&DECIDED]);
    assert!(
        told.contains("The quotas of south ask for at least 2 matches, but only one is possible."),
        "{told}"
    );
}

#[test]
fn a_ceiling_that_stands_against_floors_is_named() {
    let folder = Folder::without_groups();
    folder.write("mentees.csv", "mentee\na\nb\nc\n");
    folder.write("mentors.csv", "mentor,max,group\nx,2,g1\ny,2,g2\n");
    folder.write("scores.csv", "mentee,mentor,score\na,x,1\nb,x,1\nc,x,1\na,y,1\nb,y,1\nc,y,1\n");
    folder.write(
        "groups.csv",
        "group,side,parent,min,max\nall,mentors,,,2\ng1,mentors,all,2,\ng2,mentors,all,1,\n",
    );
    let groups = ["--groups", "groups.csv"];
    let (code, told) = folder.failure("solve", &[&groups]);
    assert_eq!(code, Some(8));
    assert!(told.contains("The quotas of all allow at most 2 matches."), "{told}");
    assert!(told.contains("raise a ceiling"), "{told}");
    let output = folder.run("solve", &[&groups, &["--json"]]);
    let unmet: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let unmet = &unmet["floors_unmet"];
    assert_eq!(
        (&unmet["floors"], &unmet["ceilings"]),
        (&serde_json::json!(["g1", "g2"]), &serde_json::json!(["all"]))
    );
    let told = folder.told("diagnose", &[&groups]);
    assert!(told.contains("The quotas of all allow at most 2 matches."), "{told}");

    folder.write("groups.csv", "group,side,parent,min,max\ng1,mentors,,3,\ng2,mentors,,,\n");
    let (_, told) = folder.failure("solve", &[&groups]);
    assert!(
        told.contains("One mentor with 2 places in all can serve here.") && told.contains("mentors: x"),
        "{told}"
    );
}

#[test]
fn mentors_below_their_minimum_are_named_with_what_is_missing() {
    let folder = Folder::without_groups();
    folder.edit("mentors.csv", "xan,1,1", "xan,3,3");
    folder.edit("mentors.csv", "zoe,1,2", "zoe,2,2");
    folder.edit("scores.csv", "ana,xan,90\n", "");
    let told = folder.json("solve", &[]);
    assert_eq!(told["below_minimum"], serde_json::json!([{ "mentor": "xan", "matched": 1, "minimum": 3 }]));
    let text = folder.told("solve", &[]);
    assert!(text.contains("mentors below minimum") && text.contains("xan: 1 of 3"), "{text}");
    let text = folder.told("diagnose", &[]);
    assert!(text.contains("Mentors below their minimum in the best assignment: xan: 1 of 3"), "{text}");
    assert_eq!(folder.json("diagnose", &[])["below_minimum"], told["below_minimum"]);
}

#[test]
fn an_earlier_result_of_other_people_is_a_start_and_changes_no_value() {
    let folder = Folder::without_groups();
    folder.told("solve", &[&RESULT]);
    folder.edit("mentees.csv", "cho,1,1", "fay,0,1");
    folder.edit("mentors.csv", "xan,1,1", "wim,1,2");
    folder.edit("scores.csv", "cho,", "fay,");
    folder.edit("scores.csv", ",xan,", ",wim,");
    let start = ["--start-pairs", "pairs.csv", "--start-certificate", "proof.json"];
    let again = ["--pairs", "again.csv", "--certificate", "again.json"];
    for objective in ["best-total", "total"] {
        let aim = ["--objective", objective];
        let warm = folder.json("solve", &[&aim, &start, &again, &["--repeat", "3"]]);
        let cold = folder.json("solve", &[&aim]);
        for value in ["total_score", "people", "matched"] {
            assert_eq!(warm[value], cold[value], "{objective}");
        }
        folder.told("verify", &[&aim, &again]);
    }
}

#[test]
fn a_forced_pair_costs_what_solving_with_it_pinned_loses() {
    let folder = Folder::without_groups();
    let free = folder.json("solve", &[&RESULT]);
    let asked = ["--pair", "bea", "xan", "--pair", "dee", "xan", "--alternates-of-mentor", "zoe"];
    let told = folder.json("what-if", &[&RESULT, &asked]);
    let [forced, never, others] = [0, 1, 2].map(|at| &told["answers"][at]);
    folder.write("decisions.csv", "mentee,mentor,decision\nbea,xan,pin\n");
    let pinned = folder.json("solve", &[&["--decisions", "decisions.csv"]]);
    let cost = &forced["alternates"][0]["cost"];
    let lost =
        free["total_score"].as_i64().zip(pinned["total_score"].as_i64()).map(|(free, pinned)| free - pinned);
    assert_eq!(cost["score"].as_i64(), lost);
    let served = |solved: &Value| solved["people"]["tiers"][0][1].as_i64();
    let fewer = cost["tiers"]
        .as_array()
        .and_then(|tiers| tiers.first())
        .map_or(0, |tier| tier["mentees"].as_i64().expect("a number"));
    assert_eq!(served(&free).zip(served(&pinned)).map(|(free, pinned)| free - pinned), Some(fewer));
    assert_eq!(never["possible"], false);
    assert!(others["alternates"].as_array().is_some_and(|all| !all.is_empty()), "{others}");
    insta::assert_snapshot!(folder.told("what-if", &[&RESULT, &asked, &["--alternates-of-mentee", "cho"]]));

    folder.edit("pairs.csv", "eva,yara,80\n", "");
    let (code, told) = folder.failure("what-if", &[&RESULT, &asked]);
    assert_eq!(code, Some(3));
    assert!(told.contains("not proved"), "{told}");
    let (_, told) = folder.failure("what-if", &[&RESULT, &["--pair", "nobody", "noone"]]);
    assert!(told.contains("no mentee `nobody`") && told.contains("no mentor `noone`"), "{told}");
}

#[test]
fn a_published_result_is_repaired_within_its_budget() {
    let folder = Folder::without_groups();
    folder.told("solve", &[&RESULT]);
    // One mentor leaves, and somebody's best pair is worth more now.
    folder.edit("mentors.csv", "xan,1,1,\n", "");
    let scores = folder.read("scores.csv");
    let scores: Vec<&str> = scores.lines().filter(|line| !line.contains(",xan,")).collect();
    folder.write("scores.csv", &scores.join("\n").replace("cho,yara,10", "cho,yara,95"));
    let published = ["--published", "pairs.csv", "--start-certificate", "proof.json"];
    let mended = ["--pairs", "mended.csv"];
    let mut least = Vec::new();
    for budget in ["0", "1", "2", "9"] {
        let told = folder.json("repair", &[&published, &mended, &["--budget", budget]]);
        assert_eq!(told["proved"], true, "{told}");
        let changed = told["changed"].as_u64().expect("a number");
        assert!(changed <= budget.parse().expect("a number"), "{told}");
        let people = &told["people"];
        let value: Vec<Option<i64>> =
            [&people["tiers"][0][1], &people["tiers"][1][1], &people["minimum_places"]]
                .into_iter()
                .chain([&people["second_mentors"], &told["total_score"]])
                .map(Value::as_i64)
                .collect();
        assert!(value >= least, "a larger budget is no worse: {told}");
        least = value;
        assert!(folder.read("mended.csv").starts_with("mentee,mentor,score\n"));
    }
    let whole = folder.json("repair", &[&published]);
    assert_eq!(whole["total_score"], folder.json("solve", &[])["total_score"]);
    insta::assert_snapshot!(folder.told("repair", &[&published, &["--budget", "0"]]));
}

#[test]
fn who_cannot_be_served_is_told_with_whom_to_find() {
    let folder = Folder::without_groups();
    folder.edit("mentors.csv", "yara,0,3", "yara,0,1");
    folder.edit("mentors.csv", "zoe,1,2", "zoe,1,1");
    folder.write("mentees.csv", &(folder.read("mentees.csv") + "gil,0,1,\n"));
    insta::assert_snapshot!(folder.told("diagnose", &[&["--recruit", "2"]]));
    let told = folder.json("diagnose", &[&["--recruit", "2"]]);
    assert_eq!(told["without_candidates"], serde_json::json!(["gil"]));
    assert_eq!(told["shortages"][0]["missing"], 2);
    assert_eq!(told["recruitment"].as_array().map(Vec::len), Some(2));
}

/// What commands print, whether they succeed or not, in one language. The numbers of times and work are left out, and so is
/// all that depends on their width.
struct Told<'a> {
    language: &'a str,
    /// Labels of the rows with times and work.
    varying: [&'a str; 2],
    text: String,
}

impl Told<'_> {
    fn add(&mut self, folder: &Folder, command: &str, options: &[&[&str]]) {
        let output = folder.run(command, &[options, &[&["--lang", self.language]]].concat());
        self.text += &["$ wim-match ", command, " ", &options.concat().join(" ")].concat();
        let mut in_varying = false;
        for line in (text(&output.stdout) + &text(&output.stderr)).lines() {
            let begins = self.varying.iter().any(|label| line.trim_start().starts_with(label));
            in_varying = begins || (in_varying && line.starts_with("          "));
            if begins {
                self.text += "\n (masked)";
            }
            if in_varying {
                for word in line.split_whitespace() {
                    self.text.push(' ');
                    self.text += if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word };
                }
                continue;
            }
            self.text.push('\n');
            self.text += match line.chars().next() {
                Some('─') => "───",
                Some('═') => "═══",
                _ => line.trim_end(),
            };
        }
        self.text.push('\n');
        let code = output.status.code().expect("a code");
        self.text += &["exit code ", &code.to_string(), "\n\n"].concat();
    }
}

#[test]
fn every_command_for_problems_prints_the_language_of_the_reader() {
    for (language, varying) in [
        ("en", ["time", "work"]),
        ("fr", ["durée", "travail"]),
        ("es", ["tiempo", "trabajo"]),
        ("pt", ["tempo", "trabalho"]),
    ] {
        let mut told = Told { language, varying, text: String::new() };
        let folder = Folder::new();
        told.add(&folder, "solve", &[&DECIDED, &RESULT]);
        told.add(&folder, "verify", &[&DECIDED, &RESULT]);
        told.add(&folder, "solve", &[&DECIDED, &["--objective", "stable"]]);
        told.add(&folder, "repair", &[&DECIDED, &["--published", "pairs.csv"]]);
        folder.edit("groups.csv", "south,mentees,all,1,", "south,mentees,all,2,");
        folder.edit("mentors.csv", "zoe,1,2", "zoe,1,1");
        folder.edit("scores.csv", "cho,yara,10\n", "");
        told.add(&folder, "solve", &[&DECIDED]);
        told.add(&folder, "diagnose", &[&DECIDED]);

        let folder = Folder::without_groups();
        for objective in ["fairest", "stable"] {
            told.add(&folder, "solve", &[&["--objective", objective]]);
        }
        told.add(&folder, "solve", &[&RESULT]);
        told.add(&folder, "verify", &[&RESULT, &["--objective", "stable"]]);
        let asked = ["--pair", "bea", "xan", "--pair", "dee", "xan", "--alternates-of-mentor", "zoe"];
        told.add(&folder, "what-if", &[&RESULT, &asked, &["--alternates-of-mentee", "cho"]]);
        told.add(&folder, "what-if", &[&RESULT, &["--pair", "nobody", "noone"]]);
        told.add(&folder, "repair", &[&["--published", "pairs.csv", "--budget", "0"]]);
        folder.edit("pairs.csv", "eva,yara,80\n", "");
        told.add(&folder, "verify", &[&RESULT]);

        folder.edit("mentors.csv", "xan,1,1", "xan,3,3");
        folder.edit("mentors.csv", "yara,0,3", "yara,0,1");
        folder.edit("mentors.csv", "zoe,1,2", "zoe,1,1");
        folder.write("mentees.csv", &(folder.read("mentees.csv") + "gil,0,1,\n"));
        told.add(&folder, "diagnose", &[&["--recruit", "2"]]);

        folder.write("mentees.csv", "mentee,tier,wanted,group\nada,,3,\nada,300,1,east\n,0,,\nbo,,,\n");
        folder.write("mentors.csv", "mentor,max,min,shoes,max\nxi,1,2,9,1\n");
        folder.write(
            "scores.csv",
            "mentee,mentor,score\nada,xi,5\nada,xi,6\nbo,yu,1\ncy,xi,1\nada,xi,x\nbo,xi,1,2\n",
        );
        folder.write("decisions.csv", "mentee,mentor,decision\nbo,xi,perhaps\n");
        folder.write("groups.csv", "group,side,min,max\nwest,mentees,3,2\n\"a,b\",mentors,,\nnone,both,,\n");
        told.add(&folder, "diagnose", &[&DECIDED]);
        folder.write("mentors.csv", "");
        told.add(&folder, "solve", &[]);
        insta::assert_snapshot!(format!("every_command_for_problems_in_{language}"), told.text);
    }
}
