//! Tables in every dialect that spreadsheets write, and files of other kinds.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The cells and lines of all records.
fn read(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
    let mut table = Table::open(bytes).unwrap();
    let mut records = Vec::new();
    loop {
        let record = table.record();
        let cells = (0..record.len()).map(|at| record.text(at).unwrap().to_owned());
        records.push((record.line, cells.collect()));
        if !table.read().unwrap() {
            return records;
        }
    }
}

fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
    read(bytes).into_iter().map(|(_, cells)| cells).collect()
}

fn utf16(text: &str, is_little: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

/// Text as bytes in one of the encodings that a spreadsheet writes.
fn encoded(text: &str, encoding: usize) -> Vec<u8> {
    match encoding {
        0 => text.as_bytes().to_vec(),
        1 => ["\u{feff}", text].concat().into_bytes(),
        2 => utf16(&["\u{feff}", text].concat(), true),
        3 => utf16(&["\u{feff}", text].concat(), false),
        4 => utf16(text, true),
        5 => utf16(text, false),
        _ => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
    }
}

/// A cell with everything that has a meaning in CSV, with line ends, and with letters of Windows-1252 that no UTF-8 contains.
fn cell() -> impl Strategy<Value = String> {
    vec(prop_oneof![6 => "[a-z0-9]", 1 => "[,;|\t\"]", 1 => Just("\n".to_owned()), 1 => "[éñçÜ]", 1 => Just(" ".to_owned())], 0..9)
        .prop_map(|parts| parts.concat().trim().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_dialect_gives_the_same_cells_and_the_lines_of_an_editor(
        rows in vec(vec(cell(), 4), 1..9),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        ending in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        encoding in 0..7_usize,
        names_separator in any::<bool>(),
        blank in vec(0..3_usize, 10),
        empty_at_end in 0..3_usize,
        is_ended in any::<bool>(),
    ) {
        let mut text = String::new();
        let mut line = 1;
        let mut expected: Vec<(u64, Vec<String>)> = Vec::new();
        if names_separator {
            text.push_str("sep=");
            text.push(delimiter);
            text += ending;
            line += 1;
        }
        let header: Vec<String> = ["one", "two", "three", "four"].map(str::to_owned).to_vec();
        for (row, blank) in [header].iter().chain(&rows).zip(blank) {
            let quoted = row.iter().map(|cell| {
                let cell = cell.replace('\n', ending);
                if cell.contains(['"', '\n', '\r', ',', ';', '\t', '|']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
            });
            text += &quoted.collect::<Vec<_>>().join(&delimiter.to_string());
            text.extend(std::iter::repeat_n(delimiter, empty_at_end));
            text += ending;
            let len = row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            if len > 0 {
                let shown = row[..len].iter().map(|cell| cell.replace('\n', ending));
                expected.push((line, shown.collect()));
            }
            line += 1 + row.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
            for _ in 0..blank {
                text.extend(std::iter::repeat_n(delimiter, 3));
                text += ending;
                line += 1;
            }
        }
        if !is_ended {
            text.truncate(text.len() - ending.len());
        }
        prop_assert_eq!(read(&encoded(&text, encoding)), expected, "{:?}", text);
    }

    #[test]
    fn no_bytes_and_no_cut_into_reads_break_the_reader(bytes in vec(any::<u8>(), 0..400), step in 1..9_usize) {
        struct Steps<'a>(&'a [u8], usize);
        impl Read for Steps<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(self.0.len()).min(out.len());
                out[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let all = |table: Result<Table<Steps<'_>>, OpenError>| {
            let Ok(mut table) = table else { return Vec::new() };
            let mut lines = vec![table.record().line];
            while table.read().unwrap() {
                lines.push(table.record().line);
            }
            lines
        };
        prop_assert_eq!(all(Table::open(Steps(&bytes, step))), all(Table::open(Steps(&bytes, 1000))));
    }
}

#[test]
fn letters_of_two_code_points_are_one() {
    assert_eq!(cells("no\u{308}el,b\nJose\u{301},x\n".as_bytes()), [["nöel", "b"], ["José", "x"]]);
}

#[test]
fn windows_1252_is_told_with_its_first_line() {
    let bytes = encoded("name,place\r\nAna,Lima\r\nZoé,São Paulo\r\n", 6);
    let mut table = Table::open(&bytes[..]).unwrap();
    while table.read().unwrap() {}
    assert_eq!(table.note(), Some(Note::Windows1252 { line: 3 }));
    assert_eq!(cells(&bytes)[2], ["Zoé", "São Paulo"]);
}

#[test]
fn bytes_that_are_neither_encoding_are_no_text() {
    let bytes = [b"name,place\nZo\xC3\xA9,Lima\nZo\xE9,".as_slice(), b"Lima\n"].concat();
    let mut table = Table::open(&bytes[..]).unwrap();
    assert!(table.read().unwrap() && table.record().text(0) == Some("Zoé"));
    assert!(table.read().unwrap() && table.record().text(0).is_none());
    assert_eq!((table.record().text(1), table.note()), (Some("Lima"), None));
}

#[test]
fn files_of_other_kinds_are_named() {
    let kinds: [(&[u8], &str); 7] = [
        (b"%PDF-1.7", "a PDF"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old format"),
        (b"PK\x03\x04 not a workbook", "workbook"),
        (b"\x1F\x8B\x08", "gzip"),
        (b"  <!DOCTYPE html><table>", "web page"),
        (b"name,\0\x01\x02 lots of other bytes", "no text"),
        (b"", "empty"),
    ];
    for (bytes, named) in kinds {
        let error = Table::open(bytes).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    for blank in ["\n\n", ";;;\r\n;;;\r\n", "\u{feff}", "sep=;\n"] {
        assert!(matches!(Table::open(blank.as_bytes()), Err(OpenError::Empty)), "{blank:?}");
    }
}

/// A workbook with one sheet per list of rows of XML cells.
fn workbook(sheets: &[&str]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let listed = |line: &dyn Fn(usize) -> String| (1..=sheets.len()).map(line).collect::<String>();
    let names = listed(&|at| format!(r#"<sheet name="S{at}" sheetId="{at}" r:id="rId{at}"/>"#));
    part(
        "xl/workbook.xml",
        &format!(r#"<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{names}</sheets></workbook>"#),
    );
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let root =
        format!(r#"<Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>"#);
    part("_rels/.rels", &format!(r#"<Relationships xmlns="{package}">{root}</Relationships>"#));
    let targets = listed(&|at| {
        format!(
            r#"<Relationship Id="rId{at}" Type="{relation}/worksheet" Target="worksheets/sheet{at}.xml"/>"#
        )
    });
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(r#"<Relationships xmlns="{package}">{targets}</Relationships>"#),
    );
    let formats = r#"<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/></cellXfs>"#;
    part("xl/styles.xml", &format!(r#"<styleSheet xmlns="{main}">{formats}</styleSheet>"#));
    for (at, rows) in (1..).zip(sheets) {
        let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
        part(&format!("xl/worksheets/sheet{at}.xml"), &sheet);
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn the_first_sheet_with_content_is_read_as_a_person_sees_it() {
    let header = r#"<row r="2"><c r="A2" t="inlineStr"><is><t>id</t></is></c><c r="B2" t="inlineStr"><is><t>since</t></is></c></row>"#;
    let row = r#"<row r="5"><c r="A5"><v>7</v></c><c r="B5" s="1"><v>46387</v></c><c r="C5" s="2"><v>0.770833333333333</v></c>
        <c r="D5"><v>0.30000000000000004</v></c><c r="E5" t="b"><v>1</v></c></row>"#;
    let bytes = workbook(&["", &[header, row].concat()]);
    let expected = [(2, vec!["id", "since"]), (5, vec!["7", "2026-12-31", "18:30", "0.3", "true"])];
    let expected =
        expected.map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    assert_eq!(read(&bytes), expected);
    assert_eq!(Table::open(&bytes[..]).unwrap().note(), None);
    let several = workbook(&[header, header]);
    assert_eq!(Table::open(&several[..]).unwrap().note(), Some(Note::Sheet { name: "S1".to_owned() }));
    assert!(matches!(Table::open(&workbook(&["", ""])[..]), Err(OpenError::Empty)));
}

#[test]
fn a_cell_far_away_does_not_take_memory() {
    let rows =
        r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>"#;
    let bytes = workbook(&[rows]);
    let mut table = Table::open(&bytes[..]).unwrap();
    assert!(table.read().unwrap());
    assert_eq!((table.record().line, &table.record().oversize), (1_048_576, &Some(Oversize::Cells)));
}
