mod random;

use std::io::{self, Read};

use jiff::Timestamp;

use super::*;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::profile::{ConsentPurpose, Profile, ProfileDraft};
use crate::domain::vocabulary::Kind as _;
use crate::domain::vocabulary::{self, Topic};

fn organisation() -> OrganisationId {
    "wim-test".parse().expect("a good id")
}

fn open(text: impl AsRef<[u8]>) -> ProfileReader<io::Cursor<Vec<u8>>> {
    ProfileReader::new(io::Cursor::new(text.as_ref().to_vec()), &organisation()).expect("a good header")
}

fn rows(text: impl AsRef<[u8]>) -> Vec<Result<Row, RowError>> {
    open(text).collect()
}

fn good(text: impl AsRef<[u8]>) -> Vec<Row> {
    rows(text).into_iter().map(|row| row.expect("a good row")).collect()
}

fn bad(row: &Result<Row, RowError>) -> &BadRow {
    match row {
        Err(RowError::Bad(bad)) => bad,
        other => panic!("expected a bad row, got {other:?}"),
    }
}

fn header_problems(text: impl AsRef<[u8]>) -> Vec<CellProblem> {
    match ProfileReader::new(text.as_ref(), &organisation()) {
        Err(OpenError::Header(problems)) => problems,
        other => panic!("expected a bad header, got {:?}", other.map(|_| ())),
    }
}

const HEADER: &str = "profile_id,country,time_zone,languages";

/// A file with one more column, and one row in which it holds `cell`.
fn with(column: &str, cell: &str) -> String {
    format!("{HEADER},{column}\np1,PE,America/Lima,es native,\"{cell}\"\n")
}

#[test]
fn commas_semicolons_marks_and_line_ends_of_every_spreadsheet_are_understood() {
    let expected = good(format!("{HEADER}\np1,PE,America/Lima,es native | en C1\n"));
    for text in [
        "\u{FEFF}profile_id,country,time_zone,languages\r\np1,PE,America/Lima,es native | en C1\r\n"
            .to_owned(),
        "Profile ID; COUNTRY ;time-zone;languages\np1;PE;America/Lima;es native | en C1".to_owned(),
        "profile_id;country;time_zone;languages\r\np1;PE;America/Lima;\"es native\r\nen C1\"\r\n".to_owned(),
        "profile_id;country;time_zone;languages\np1;PE;America/Lima;\"es native;en C1\"\n;;;\n".to_owned(),
        format!("{HEADER}\np1,PE,America/Lima,\"es native, en c1\"\n,,,\n"),
    ] {
        assert_eq!(good(&text), expected, "{text:?}");
    }
    let marked = good("sep=;\nprofile_id;country;time_zone;languages\np1;PE;America/Lima;es native | en C1");
    assert_eq!(marked[0].draft, expected[0].draft);
    assert_eq!(expected[0].draft.languages, [("es".to_owned(), 7), ("en".to_owned(), 5)]);
    assert_eq!(expected[0].draft.name, "organisations/wim-test/profiles/p1");
}

#[test]
fn a_wrong_header_is_told_with_everything_that_is_wrong() {
    let problems = header_problems("profile_id,contry,languages,languages,nonsense_that_is_far_away");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`contry` is the header of column B, which is not a column of profiles; rename it to country",
            "column languages: `languages` is the header of column D and of one before; give each column once",
            "`nonsense_that_is_far_away` is the header of column E, which is not a column of profiles; \
             leave the column out of the file",
            "column time_zone: is missing; add it; `wim-match import --columns` describes it",
        ]
    );
    assert_eq!(header_problems("")[0].what.to_string(), "the file is empty");
    assert_eq!(
        header_problems(b"PK\x03\x04rest")[0].what.to_string(),
        "the file is a workbook that unpacks to more than 512 MiB, or a damaged one"
    );
    assert_eq!(header_problems(b"%PDF-1.7")[0].what.to_string(), "the file is a PDF");
}

#[test]
fn lines_are_physical_lines_even_after_cells_that_run_over_several() {
    let person = |id| format!("{id},PE,America/Lima,es native,");
    let file = [
        &format!("{HEADER},goals"),
        "",
        &person("p1"),
        "\"a",
        "b\"",
        "",
        "",
        &person("p2"),
        "  ",
        &person("p3"),
    ];
    let text = file.join("\r\n").replace("native,\r\n\"a", "native,\"a\r\nc");
    let rows = good(text);
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 8, 10]);
    assert_eq!(rows[0].draft.goals, ["a", "c", "b"]);
}

#[test]
fn reading_goes_on_after_rows_that_cannot_be_read() {
    let mut text = format!("{HEADER}\np1,PE,America/Lima\np2,PÉ,America/Lima,es native\np3,").into_bytes();
    text.extend(
        b"P\xE9,\xFF\xFE,es native\np4,PE,\"America/\nLima\nx\",es native,,x\np5,PE,America/Lima,es native\n",
    );
    let rows = rows(text);
    assert_eq!(rows.len(), 5);
    assert_eq!(bad(&rows[0]).problems[0].what.to_string(), "the row has 3 cells, the header 4");
    assert_eq!(bad(&rows[0]).line, 2);
    assert!(rows[1].is_ok());
    let not_text: Vec<_> = bad(&rows[2]).problems.iter().map(|p| (p.column, p.what.to_string())).collect();
    assert_eq!(not_text, ["country", "time_zone"].map(|column| (column, "is not UTF-8".to_owned())));
    assert_eq!(bad(&rows[2]).line, 4);
    assert!(bad(&rows[3]).problems[0].hint.to_string().contains("quotation mark may be missing"));
    assert_eq!(rows[4].as_ref().expect("good").line, 8);
}

#[test]
fn a_huge_cell_is_refused_with_an_excerpt_and_reading_goes_on() {
    let huge = |bytes: usize| {
        format!("{HEADER}\np1,PE,{},es native\np2,PE,America/Lima,es native\n", "é".repeat(bytes / 2))
    };
    for bytes in [MIB * 10, 70_000, 300_000] {
        let rows = rows(huge(bytes));
        let problem = &bad(&rows[0]).problems[0];
        assert_eq!(
            (problem.column, problem.what.to_string().as_str()),
            ("time_zone", "is longer than 65536 bytes")
        );
        assert_eq!(problem.value.chars().count(), 81);
        assert_eq!(rows[1].as_ref().expect("good").line, 3);
        assert_eq!(rows.len(), 2);
    }
    let just_so = good(huge(65_536));
    assert_eq!(just_so.len(), 2);
}

const MIB: usize = 1 << 20;

#[test]
fn rows_beyond_every_bound_are_refused_and_reading_goes_on() {
    let cells = format!("{HEADER}\n{}\np2,PE,America/Lima,es native\n", ",".repeat(100_000));
    let many = rows(cells);
    assert_eq!(bad(&many[0]).problems[0].what.to_string(), "the row has far more cells than the header");
    assert!(many[1].is_ok());
    let cell = "x".repeat(60_000);
    let long = rows(format!("{HEADER}\n{}\np2,PE,America/Lima,es native\n", [cell.as_str(); 6].join(",")));
    assert_eq!(bad(&long[0]).problems[0].what.to_string(), "the row is longer than 262144 bytes");
    assert!(long[1].is_ok());
}

#[test]
fn a_forgotten_quotation_mark_does_not_take_memory_and_is_named_as_the_likely_cause() {
    let person = "p,PE,America/Lima,es native\n";
    let text = format!("{HEADER}\np1,PE,\"America/Lima,es native\n{}", person.repeat(20_000));
    let rows = rows(text);
    assert_eq!(rows.len(), 1);
    assert!(bad(&rows[0]).problems[0].hint.to_string().contains("quotation mark is missing"));
}

#[test]
fn a_stream_that_fails_says_how_far_it_came_and_ends() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => (&b"profile_id,country,time_zone,languages\np1,PE,America/Lima,es native\np2,"[..])
                    .read(buffer),
                2 => Err(io::ErrorKind::Interrupted.into()),
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let mut reader = ProfileReader::new(Broken(0), &organisation()).expect("a good header");
    assert!(reader.next().expect("a row").is_ok());
    assert!(matches!(reader.next(), Some(Err(RowError::Io { .. }))));
    assert!(reader.next().is_none());
}

#[test]
fn weekly_hours_are_read_as_people_write_them() {
    let slots = |cell: &str| -> Vec<(i32, i32, i32)> {
        let rows = good(with("weekly_hours", cell));
        let slots = rows[0].draft.weekly_slots.iter();
        slots.map(|slot| (slot.day, slot.start_minute.expect("a start"), slot.end_minute)).collect()
    };
    assert_eq!(slots("Mon 18:00-20:00 | wednesday 7:00 – 08:30"), [(1, 1080, 1200), (3, 420, 510)]);
    assert_eq!(slots("Mon-Wed 18:00-20:00"), [(1, 1080, 1200), (2, 1080, 1200), (3, 1080, 1200)]);
    assert_eq!(slots("Sat-Mon 09:00-10:00"), [(6, 540, 600), (7, 540, 600), (1, 540, 600)]);
    assert_eq!(slots("Sun 22:00-02:00"), [(7, 1320, 1440), (1, 0, 120)]);
    assert_eq!(slots("Fri 22:00-00:00; Sat 00:00-24:00"), [(5, 1320, 1440), (6, 0, 1440)]);
}

#[test]
fn everything_that_is_wrong_with_a_row_is_listed_with_its_column() {
    let text = format!(
        "{HEADER},weekly_hours,roster,meeting_modes,max_mentees,consent_matching_time,earlier_consents\n\
         Ana Pérez,PE,America/Lima,es | en D7,Mon 18:00-18:00 | Mon | Mon 25:00-26:00 | Tue 18:00-19:00 | Xyz 1:00-2:00,\
         14 days,teleport,many,01/02/2026,matching es yesterday\n"
    );
    let rows = rows(text);
    let bad = bad(&rows[0]);
    let told: Vec<(&str, &str)> = bad.problems.iter().map(|p| (p.column, p.value.as_str())).collect();
    assert_eq!(
        told,
        [
            ("profile_id", "Ana Pérez"),
            ("weekly_hours", "Mon 18:00-18:00"),
            ("weekly_hours", "Mon"),
            ("weekly_hours", "Mon 25:00-26:00"),
            ("weekly_hours", "Xyz 1:00-2:00"),
            ("roster", "14 days"),
            ("languages", "es"),
            ("languages", "en D7"),
            ("meeting_modes", "teleport"),
            ("max_mentees", "many"),
            ("consent_matching_time", "01/02/2026"),
            ("earlier_consents", "matching es yesterday"),
        ]
    );
    assert!(bad.problems.iter().all(|problem| !problem.hint.is_empty()));
    let partial = bad.partial.as_ref().expect("the rest could be read");
    assert_eq!((partial.country.as_str(), partial.weekly_slots.len()), ("PE", 1));
}

#[test]
fn people_are_named_by_bare_id_at_home_and_with_their_organisation_elsewhere() {
    let rows =
        good(with("avoided", "p2 | wim-peru/PE-1 | organisations/wim-peru/profiles/PE-2 | not a person"));
    assert_eq!(
        rows[0].draft.avoided,
        [
            "organisations/wim-test/profiles/p2",
            "organisations/wim-peru/profiles/PE-1",
            "organisations/wim-peru/profiles/PE-2",
            "not a person",
        ]
    );
}

#[test]
fn no_exported_cell_begins_a_formula() {
    for text in ["=1+1", "+1", "-1", "@x", "'=1", "''", "'", "-", "\u{9}=x"] {
        let draft = ProfileDraft { employer: text.trim().to_owned(), ..minimal() };
        let file = written(std::slice::from_ref(&draft));
        let cell = file.lines().nth(1).expect("a row").split(',').find(|cell| cell.contains(text.trim()));
        assert!(cell.expect("the employer").starts_with('\''), "{file}");
        assert_eq!(good(&file)[0].draft, draft);
    }
    let plain = good(with("employer", "'s-Hertogenbosch Mining"));
    assert_eq!(plain[0].draft.employer, "'s-Hertogenbosch Mining");
}

#[test]
fn every_field_of_the_service_leads_to_its_column() {
    for (field, column) in [
        ("name", "profile_id"),
        ("country", "country"),
        ("weekly_slots[0].start_minute", "weekly_hours"),
        ("weekly_slots", "weekly_hours"),
        ("roster.first_day_on", "roster"),
        ("languages[1].tag", "languages"),
        ("mentor_offer", "max_mentees"),
        ("mentor_offer.min_mentees", "min_mentees"),
        ("mentor_offer.max_mentees", "max_mentees"),
        ("mentor_offer.topics[2]", "topics_offered"),
        ("mentee_request.mentors_wanted", "mentors_wanted"),
        ("mentee_request.topics[0]", "topics_sought"),
        ("mentee_request.waiting_since", "waiting_since"),
        ("identity.wishes[0]", "identity_wishes"),
        ("identity", "identity_shares"),
        ("consents", "consent_matching_time"),
        ("consents[0].text_version", "consent_matching_version"),
        ("consents[1].give_time", "consent_identity_time"),
        ("consents[1].purpose", "consent_identity_time"),
        ("previous_partners[17]", "previous_partners"),
        ("no_such_field", ""),
        ("names", ""),
    ] {
        assert_eq!(column_of(field), column, "{field}");
    }
}

#[test]
fn columns_are_described_and_read_in_any_case_and_the_template_can_be_read() {
    let text = describe_columns();
    for column in Column::ALL {
        assert!(text.contains(&format!("\n{}", column.name())), "{}", column.name());
        assert_eq!(Column::from_header(&column.name().to_uppercase().replace('_', " ")), Some(column));
    }
    let mut template = Vec::new();
    write_template(&mut template).expect("memory");
    assert_eq!(open(&template).count(), column::EXAMPLES);
}

#[test]
fn a_header_is_read_in_every_language_and_a_usual_name_is_to_be_renamed() {
    let same = rows("profile_id,country,time_zone,languages,avoided\np1,PE,America/Lima,es native,p2\n");
    for header in [
        "Identifiant;Pays;Fuseau horaire;Langues;Personnes à éviter",
        "IDENTIFICADOR;País;Zona horaria;Idiomas;Personas a evitar",
        "identificador;pai\u{301}s;Fuso horário;idiomas;Pessoas a evitar",
        "Profile-ID;Country;Time zone;Languages;People to avoid",
    ] {
        let text = format!("{header}\np1;PE;America/Lima;es native;p2\n");
        assert_eq!(good(text)[0].draft, same[0].as_ref().expect("a good row").draft, "{header}");
    }
    let told = |header: &str| {
        let all = "profile_id,country,time_zone,languages";
        let problems = header_problems(format!("{all},{header}\n"));
        assert_eq!(problems.len(), 1, "one hint: {problems:?}");
        problems[0].hint.to_string()
    };
    for (header, hint) in [
        ("Notes", "leave the column out of the file"),
        ("Observaciones", "leave the column out of the file"),
        ("Nombre", "leave the column out of the file"),
        ("Email", "leave the column out of the file"),
        ("Disponibilité", "rename it to weekly_hours"),
        ("Company", "rename it to employer"),
        ("Temas", "rename it to one of: topics_offered, topics_sought"),
        ("carrer stage", "rename it to career_stage"),
        ("Capacidad", "rename it to max_mentees"),
    ] {
        assert_eq!(told(header), hint, "{header}");
    }
    assert!(told("Organisation").contains("employer if it names her employer"));
    let problems = header_problems("ID,Residence,TZ,Langue,Notes\n");
    let hints: Vec<String> = problems.iter().map(|problem| problem.hint.to_string()).collect();
    let renamed =
        ["profile_id", "country", "time_zone", "languages"].map(|name| format!("rename it to {name}"));
    assert_eq!(hints[..4], renamed, "a column to be renamed is not also missing");
    assert_eq!(hints.len(), 5);
}

#[test]
fn what_is_wrong_with_a_row_is_told_in_the_words_of_a_table() {
    let header = "profile_id,country,time_zone,languages,roster,weekly_hours,min_mentees,max_mentees,topics_offered,\
                  mentors_wanted,waiting_since,identity_shares,avoided,preferred,career_stage,employer,\
                  consent_matching_version,consent_matching_language,consent_matching_time,consent_matching_withdrawn,\
                  earlier_consents";
    let wrong = [
        "p1,Nowhere,GMT-5,,99/99 from 2027-01-04,,3,2,leader,3,2099-01-01,woman,p1,p1,senior,,non,,2026-10-02,2026-10-01,",
        "p2,PE,Lima,es native | es C1,0/1,,1,,leadership,1,,,,,,,,,,2026-10-01,",
        "p3,PE,America/Lima,castellano native,,,,21,,-1,,,a/b/c,a b,,,2026-1,xx-,2099-01-01,,matching es 2026-01-01 version 1",
        "p4,,,es native,,,-1,99,,,,,,,,,yes,es,,,matching es 2026-01-01 version 1 | matching es 2026-02-01 version 2",
    ];
    let mut told = String::new();
    for row in rows(format!("{header}\n{}\n", wrong.join("\n"))) {
        let draft = row.expect("a readable row").draft;
        let me = ProfileRef::from_name(&draft.name).expect("a name");
        for violation in Profile::parse(&me, &draft, now()).expect_err("a wrong row").listed() {
            assert!(!column_of(&violation.field).is_empty(), "{}", violation.field);
            told.push_str(
                &[
                    violation.description.to_string(),
                    " ".to_owned(),
                    violation.hint.to_string(),
                    "\n".to_owned(),
                ]
                .concat(),
            );
        }
    }
    assert!(told.lines().count() >= 20, "{told}");
    let is_known = |word: &str| {
        let is_code = |vocabulary: &&vocabulary::Vocabulary| {
            vocabulary.name() == word || vocabulary.position(word).is_some()
        };
        Column::from_header(word).is_some() || vocabulary::all().iter().any(is_code)
    };
    for word in told.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.contains('_')) {
        assert!(is_known(word) || word.starts_with("America"), "`{word}` is no word of a table: {told}");
    }
    for word in ["omit", "minutes after midnight", "field", "message", "mentor_offer", "mentee_request"] {
        assert!(!told.contains(word), "`{word}`: {told}");
    }
}

#[test]
fn every_label_of_a_column_leads_to_that_column() {
    let text = include_str!("../../data/columns.csv");
    let mut columns = 0;
    for line in text.lines().skip(1) {
        let (code, names) = line.split_once(';').expect("a code");
        assert_eq!(names.split(';').count(), vocabulary::Lang::COUNT, "{code}");
        for label in names.split(';').filter_map(|names| names.split(',').next()).filter(|_| !code.is_empty())
        {
            assert_eq!(Column::from_header(label).map(Column::name), Some(code), "{label}");
        }
        columns += usize::from(!code.is_empty());
    }
    assert_eq!(columns, Column::ALL.len());
}

#[test]
fn the_examples_of_the_template_are_refused_until_they_have_ids_of_the_organisation() {
    let mut template = Vec::new();
    write_template(&mut template).expect("memory");
    let unedited = rows(&template);
    assert_eq!(unedited.len(), column::EXAMPLES);
    for row in &unedited {
        let [problem] = &bad(row).problems[..] else { panic!("{row:?}") };
        assert_eq!(
            (problem.column, problem.what.to_string().as_str()),
            ("profile_id", "is a person of the template")
        );
        assert!(problem.hint.to_string().contains("your members"));
    }
    let edited = String::from_utf8(template).expect("UTF-8").replace("example-", "member-");
    for Row { draft, .. } in good(edited) {
        let me = ProfileRef::from_name(&draft.name).expect("a name");
        let profile = Profile::parse(&me, &draft, now()).expect("an example is a good profile");
        assert!(profile.consents_to(ConsentPurpose::Matching, now()));
    }
}

fn now() -> Timestamp {
    "2027-02-01T00:00:00Z".parse().expect("a time")
}

fn minimal() -> ProfileDraft {
    ProfileDraft {
        name: "organisations/wim-test/profiles/p1".to_owned(),
        country: "PE".to_owned(),
        time_zone: "America/Lima".to_owned(),
        languages: vec![("es".to_owned(), 7)],
        ..ProfileDraft::default()
    }
}

fn written(drafts: &[ProfileDraft]) -> String {
    let mut writer = ProfileWriter::new(Vec::new()).expect("memory");
    for draft in drafts {
        writer.write(draft).expect("memory");
    }
    String::from_utf8(writer.finish().expect("memory")).expect("UTF-8")
}
