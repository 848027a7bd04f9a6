//! How a file was read, if not as its sender may expect: every command that reads a table says so on standard error, in the
//! language of the reader.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::world::World;

const LANGUAGES: [&str; 4] = ["en", "fr", "es", "pt"];
/// The note on a file that is not in UTF-8, by language.
const WINDOWS_1252: [&str; 4] = [
    "the file is not in UTF-8; from line 3 on it was read as Windows-1252",
    "le fichier n’est pas en UTF-8 ; à partir de la ligne 3",
    "el archivo no está en UTF-8; desde la línea 3",
    "o arquivo não está em UTF-8; a partir da linha 3",
];
/// The note on a workbook with several sheets.
const SHEET: [&str; 4] = [
    "several sheets of the workbook have content; the sheet “People” was read",
    "plusieurs feuilles du classeur ont un contenu ; la feuille « People » a été lue",
    "varias hojas del libro tienen contenido; se leyó la hoja «People»",
    "várias folhas do livro têm conteúdo; foi lida a folha “People”",
];

fn run(folder: &Path, language: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.current_dir(folder).args(arguments).args(["--lang", language]);
    program.env_remove("WIM_MATCH_LANG").output().expect("runs")
}

/// With plain blanks: French has others before some signs.
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8").replace('\u{a0}', " ")
}

/// A workbook of two sheets with content; the first has a column of texts.
fn workbook(column: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let main = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main""#;
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = r#"xmlns="http://schemas.openxmlformats.org/package/2006/relationships""#;
    let cell = |(at, text): (usize, &&str)| {
        format!(r#"<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>{text}</t></is></c></row>"#)
    };
    let rows: String = (1..).zip(column).map(cell).collect();
    let sheet = format!("<worksheet {main}><sheetData>{rows}</sheetData></worksheet>");
    let sheets = [1, 2].map(|at| {
        format!(r#"<sheet name="{}" sheetId="{at}" r:id="rId{at}"/>"#, ["People", "Notes"][at - 1])
    });
    let sheets = sheets.concat();
    let targets = [1, 2].map(|at| {
        format!(r#"<Relationship Id="rId{at}" Type="{office}/worksheet" Target="worksheets/sheet{at}.xml"/>"#)
    });
    let targets = targets.concat();
    for (name, content) in [
        (
            "_rels/.rels",
            format!(
                r#"<Relationships {package}><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(r#"<workbook {main} xmlns:r="{office}"><sheets>{sheets}</sheets></workbook>"#),
        ),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships {package}>{targets}</Relationships>")),
        ("xl/worksheets/sheet1.xml", sheet.clone()),
        ("xl/worksheets/sheet2.xml", sheet),
    ] {
        zip.start_file(name, stored).expect("a part");
        zip.write_all(content.as_bytes()).expect("is written");
    }
    zip.finish().expect("a workbook").into_inner()
}

#[test]
fn every_command_on_problem_files_says_how_a_file_was_read() {
    let home = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(home.path().join(name), bytes).expect("is written");
    write("mentees.csv", b"mentee\nana\nbea\n");
    write("mentors.csv", b"mentor\nxi\nZo\xeb\n");
    write("mentors.xlsx", &workbook(&["mentor", "xi", "Zoë"]));
    write("scores.csv", "mentee,mentor,score\nana,Zoë,5\nbea,xi,4\n".as_bytes());
    write("earlier.csv", b"mentee,mentor\nbea,xi\nana,Zo\xeb\n");
    let files = |mentors| ["--mentees", "mentees.csv", "--mentors", mentors, "--scores", "scores.csv"];
    let result: &[&str] = &["--pairs", "pairs.csv", "--certificate", "proof.json"];
    let commands: [(&str, Vec<&str>); 5] = [
        ("solve", result.to_vec()),
        ("diagnose", Vec::new()),
        ("verify", result.to_vec()),
        ("what-if", [result, &["--pair", "ana", "Zoë"]].concat()),
        ("repair", vec!["--published", "pairs.csv"]),
    ];
    for (command, options) in &commands {
        for (mentors, notes) in [("mentors.csv", WINDOWS_1252), ("mentors.xlsx", SHEET)] {
            for (language, note) in LANGUAGES.iter().zip(notes) {
                let output =
                    run(home.path(), language, &[&[*command], &files(mentors)[..], options].concat());
                let (told, data) = (text(&output.stderr), text(&output.stdout));
                assert!(output.status.success(), "{command}: {told}");
                assert_eq!(told.matches(note).count(), 1, "{command} in {language}: {told}");
                assert!(told.contains(mentors), "{command}: {told}");
                assert!(!data.contains(note) && data.contains("Zoë") | !data.contains("Zo"), "{data}");
            }
        }
    }
    // The files of results too, and also if the command fails.
    let repair = [&["repair"], &files("mentors.xlsx")[..], &["--published", "earlier.csv"]].concat();
    let told = text(&run(home.path(), "es", &repair).stderr);
    assert!(told.contains(WINDOWS_1252[2]) && told.contains(SHEET[2]), "{told}");
    write("mentees.csv", b"mentee\nana\nana\n");
    let failed = run(home.path(), "fr", &[&["diagnose"], &files("mentors.csv")[..]].concat());
    assert_eq!(failed.status.code(), Some(3));
    assert!(text(&failed.stderr).contains(WINDOWS_1252[1]), "{}", text(&failed.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_says_how_the_file_was_read() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let home = tempfile::tempdir().expect("a folder");
    let header = "profile_id,country,time_zone,languages,career_stage,employer";
    let rows = format!(
        "{header}\na,PE,America/Lima,es native,professional,Mina\nb,PE,America/Lima,es native,professional,Miner"
    );
    fs::write(home.path().join("people.csv"), [rows.as_bytes(), b"\xeda\n"].concat()).expect("is written");
    for (language, note) in LANGUAGES.iter().zip(WINDOWS_1252) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        program.current_dir(home.path()).args(["import", "people.csv", "--organisation", "wim-peru"]);
        program.args(["--validate-only", "--lang", language]);
        program.args(["--server", &format!("http://{}", world.server().address())]);
        let output = program.env("WIM_MATCH_TOKEN", &peru.token).output().expect("runs");
        let told = text(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert_eq!(told.matches(note).count(), 1, "{language}: {told}");
    }
    world.stop().await;
}

/// Mistakes that the reader of the file finds and mistakes that the service finds, in one row, and a wrong header.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_of_a_file_are_told_in_the_language_of_the_reader() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let home = tempfile::tempdir().expect("a folder");
    let header = "profile_id,country,time_zone,languages,employer,mentors_wanted";
    fs::write(home.path().join("cells.csv"), format!("{header}\na,PE,Mars/Olympus,es native,c,many\n"))
        .expect("is written");
    fs::write(home.path().join("header.csv"), "profile_id,country,time_zone,shoes\n").expect("is written");
    fs::write(home.path().join("page.pdf"), "%PDF-1.7").expect("is written");
    let told = |language: &str, file: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
        program.current_dir(home.path()).args(["import", file, "--organisation", "wim-peru"]);
        program.args(["--lang", language, "--server", &format!("http://{}", world.server().address())]);
        let output = program.env("WIM_MATCH_TOKEN", &peru.token).output().expect("runs");
        assert_eq!(output.status.code(), Some(3));
        text(&output.stderr)
    };
    for (language, file, parts) in [
        (
            "en",
            "cells.csv",
            ["`many` is not a whole number", "`Mars/Olympus` is not a time zone", "1 of 1 row was"],
        ),
        ("es", "cells.csv", ["no es un número entero", "zona horaria", "se rechazó 1 de 1 fila"]),
        ("fr", "cells.csv", ["n’est pas un nombre entier", "fuseau", "1 ligne sur 1 a été refusée"]),
        ("pt", "cells.csv", ["não é um número inteiro", "fuso", "foi recusada 1 de 1 linha"]),
        (
            "es",
            "header.csv",
            ["encabezados es incorrecta", "no es una columna de perfiles", "languages: falta"],
        ),
        ("fr", "page.pdf", ["le fichier est un PDF", "enregistrez le tableau", "en-tête est incorrecte"]),
    ] {
        let told = told(language, file);
        for part in parts {
            assert!(told.contains(part), "`{part}` is missing in {language}: {told}");
        }
    }
    world.stop().await;
}
