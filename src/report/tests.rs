use super::sample::Round;
use super::*;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::name::ProfileRef;
use crate::domain::policy::{Criterion, Objective};
use crate::domain::run::{BelowMinimum, Contribution, Match, Side};
use crate::domain::suppression::Guarded;
use crate::domain::vocabulary::Lang;

/// How often `needle` occurs in `text`.
fn times(text: &str, needle: &str) -> usize {
    text.matches(needle).count()
}

/// The document without its style sheet, which is long and says nothing about a round.
fn body(html: &str) -> &str {
    html.split_once("</style>").unwrap().1
}

#[test]
fn a_small_report_is_the_golden_one() {
    let html = render(&Round::of(15, 8, 3).report());
    insta::assert_snapshot!(body(&html).replace("><", ">\n<"));
}

#[test]
fn equal_rounds_give_equal_bytes_whatever_the_order_of_their_people() {
    let round = Round::realistic();
    let mut shuffled = Round::realistic();
    shuffled.matches.reverse();
    shuffled.unmatched.rotate_left(5);
    assert_eq!(render(&round.report()), render(&shuffled.report()));
}

#[test]
fn the_file_needs_nothing_beside_it() {
    let html = render(&Round::realistic().report());
    for forbidden in ["http:", "https:", "src=", "@import", "<script", "<link", "<iframe", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    for (at, _) in html.match_indices("url(") {
        assert!(html[at..].starts_with("url(#"), "{}", &html[at..at + 40]);
    }
    for (at, _) in html.match_indices("href=") {
        assert!(html[at..].starts_with("href=\"#"), "{}", &html[at..at + 40]);
    }
}

#[test]
fn names_and_titles_cannot_become_markup() {
    let mut round = Round::realistic();
    for name in round.names.values_mut() {
        *name = format!("<script>alert('{name}')</script>\"><img src=x onerror=alert(1)> {{round}}");
    }
    let mut report = round.report();
    report.round_title = "</title><script>alert(2)</script> & {matched} \"'";
    report.engine_version = "<b>1</b>";
    let html = render(&report);
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"));
    assert!(html.contains("&lt;script&gt;alert(2)&lt;/script&gt; &amp; {matched} &quot;'"));
    assert!(html.contains("onerror=alert(1)&gt; {round}"), "braces within a name stay");
}

#[test]
fn everybody_is_in_the_report_with_a_reason_and_with_what_would_change_it() {
    let round = Round::realistic();
    let html = render(&round.report());
    let shown = |person: &ProfileRef| html.contains(&format!(r#"<span class="person">{}</span>"#, person.id));
    assert!(round.matches.iter().all(|m| shown(&m.mentee) && shown(&m.mentor)));
    assert!(round.unmatched.iter().all(|one| shown(&one.profile)));
    let changes = times(&html, r#"data-label="What would change it"><p>"#);
    assert_eq!(changes, round.unmatched.len(), "nobody is left without a way forward");
    assert_eq!(times(&html, r#"data-label="Why"><p>"#), round.unmatched.len());
    let mentees = round.unmatched.iter().filter(|one| one.side == Some(Side::Mentee)).count();
    assert!(html.contains(&format!(r#"Mentees without a mentor <span class="tally">{mentees}</span>"#)));
}

#[test]
fn mentors_below_their_minimum_are_named_with_both_numbers_even_if_everybody_has_a_match() {
    let mut round = Round::realistic();
    round.unmatched.clear();
    let mentor = round.matches[0].mentor.clone();
    round.summary.mentors_below_minimum = 3;
    round.summary.below_minimum = vec![BelowMinimum { mentor: mentor.clone(), minimum: 2, matched: 1 }];
    let html = render(&round.report());
    let (_, list) = html.split_once("Mentors with fewer mentees than their minimum").expect("a heading");
    let (list, _) = list.split_once("</section>").expect("a section");
    assert!(
        list.contains(mentor.id.as_str())
            && list.contains("1 of at least 2 mentees")
            && list.contains("More people: 2"),
        "{list}"
    );
}

/// A manager's report: no numbers about the whole round, ranges of other people, and no digests.
fn of_a_manager(mut round: Round) -> Round {
    round.summary.whole_round = None;
    for one in &mut round.unmatched {
        one.counterparts = Guarded::new(30).for_managers();
        one.candidates = Guarded::new(0).for_managers();
        one.exclusions.clear();
        one.details.clear();
    }
    round
}

#[test]
fn a_managers_report_says_nothing_about_people_whom_she_does_not_see() {
    let shapes =
        [(112, 90), (9, 0), (0, 9), (1, 1), (0, 0)].map(|(mentees, mentors)| Round::of(mentees, mentors, 1));
    for round in shapes.map(of_a_manager) {
        for lang in Lang::ALL {
            let report = RoundReport { lang, input_digest: "", result_digest: "", ..round.report() };
            let html = render(&report);
            let words = report.words();
            for (everyone, own) in round_report::OF_ONE_ORGANISATION {
                // Up to the first parameter. A text that begins as its own form does says nothing about others there.
                let start = |key: &'static str| match words.text(key).split_once('{') {
                    None => format!(">{}<", words.text(key)),
                    Some((start, _)) => format!(">{start}"),
                };
                let (everyone, own) = (start(everyone), start(own));
                if everyone.len() > 20 && !own.starts_with(&everyone) {
                    assert!(!html.contains(&everyone), "{}: {everyone}", lang.tag());
                }
            }
            for about_all in [
                "coverage_region",
                "coverage_organisation",
                "rules_title",
                "rules_empty",
                "criteria_title",
                "tile_pairs",
                "footer_input",
            ] {
                let text = words.text(about_all);
                assert!(!html.contains(&format!(">{text}<")), "{}: {text}", lang.tag());
            }
            assert!(html.contains(words.text("meta_readers_own")));
            assert!(!html.contains(&words.fill("of", &[("total", &0)])), "a share of nobody");
        }
        let html = render(&round.report());
        for false_or_hidden in ["on average", "No hard rule", "Everybody has", "Every mentee has", " 0.0 "] {
            assert!(!html.contains(false_or_hidden), "{false_or_hidden}");
        }
    }
    let html = render(&of_a_manager(Round::realistic()).report());
    assert!(html.contains("104 of the organisation’s 112 mentees have a mentor in this proposal."));
    assert!(html.contains("under 10 of 10 to 49 people of other organisations"));
    let html = render(&of_a_manager(Round::of(0, 9, 1)).report());
    assert!(
        html.contains("No mentee of the organisation is enrolled in this round. Of the"),
        "{}",
        body(&html)
    );
}

#[test]
fn what_gives_few_points_is_a_weak_point_with_its_points_and_never_a_strength() {
    let mut round = Round::of(14, 8, 3);
    let given = |criterion, points, max_points, reason| Contribution {
        criterion: Some(criterion),
        points,
        max_points,
        reason,
    };
    let lowest = &mut round.matches[0];
    lowest.score = 1;
    lowest.contributions = vec![
        given(
            Criterion::Topics,
            0,
            3_000,
            Reason::new(ReasonCode::TopicsNone).with("sought", 1).with("topics", "leadership"),
        ),
        given(Criterion::CareerStage, 540, 1_200, Reason::new(ReasonCode::StageAbove).with("steps", 4)),
        given(Criterion::Language, 800, 800, Reason::new(ReasonCode::LanguageNative).with("language", "es")),
        given(
            Criterion::Goals,
            600,
            1_200,
            Reason::new(ReasonCode::MissingAnswer).with("criterion", "goals"),
        ),
        given(Criterion::WaitingTime, 0, 400, Reason::new(ReasonCode::NotWaited)),
        Contribution {
            criterion: None,
            points: 0,
            max_points: 700,
            reason: Reason::new(ReasonCode::PrivateAnswers),
        },
    ];
    let html = render(&round.report());
    let row = html.split(r#"<th scope="row" data-label="Mentee">"#).nth(1).unwrap();
    let cell = |label: &str| {
        row.split(&format!("data-label=\"{label}\">")).nth(1).unwrap().split("</td>").next().unwrap()
    };
    let items = |cell: &str| -> Vec<String> {
        cell.split("<li>").skip(1).map(|item| item.split("</li>").next().unwrap().to_owned()).collect()
    };
    assert_eq!(items(cell("In its favour")), ["Both are native speakers of Spanish"]);
    let weak = [
        "Does not offer the topic sought: leadership (0.0 of 30.0 points)",
        "The mentor’s career stage is 4 steps above the mentee’s (5.4 of 12.0 points)",
        "“Goals” was not answered, so a neutral value is used (6.0 of 12.0 points)",
    ];
    assert_eq!(items(cell("Weak points")), weak);
}

#[test]
fn a_match_without_a_weak_point_or_a_strength_claims_nothing_about_its_points() {
    let mut round = Round::of(1, 1, 1);
    let given = |criterion, points, code| Contribution {
        criterion: Some(criterion),
        points,
        max_points: 400,
        reason: code,
    };
    let not_waited = given(Criterion::WaitingTime, 0, Reason::new(ReasonCode::NotWaited));
    let missing = Reason::new(ReasonCode::MissingAnswer).with("criterion", "goals");
    let native = Reason::new(ReasonCode::LanguageNative).with("language", "es");
    for (contributions, label, texts) in [
        (
            vec![given(Criterion::Language, 400, native), not_waited.clone()],
            "matches_weak",
            [
                "No weak point in the open answers.",
                "Aucun point faible dans les réponses non confidentielles.",
                "Ningún punto débil en las respuestas no confidenciales.",
                "Nenhum ponto fraco nas respostas não confidenciais.",
            ],
        ),
        (
            vec![given(Criterion::Goals, 200, missing), not_waited],
            "matches_reasons",
            [
                "No strength in the open answers.",
                "Aucun point fort dans les réponses non confidentielles.",
                "Ningún punto a favor en las respuestas no confidenciales.",
                "Nenhum ponto a favor nas respostas não confidenciais.",
            ],
        ),
    ] {
        round.matches[0].contributions = contributions;
        for (lang, text) in [Lang::En, Lang::Fr, Lang::Es, Lang::Pt].into_iter().zip(texts) {
            let report = RoundReport { lang, ..round.report() };
            let cell = format!(r#"data-label="{}">{text}</td>"#, report.words().text(label));
            assert!(render(&report).contains(&cell), "{cell}");
        }
    }
    round.matches[0].contributions.clear();
    let html = render(&round.report());
    for text in ["No weak point", "No strength"] {
        assert!(!html.contains(text), "nothing is known of a match that was read without its contributions");
    }
}

/// What a browser prints is looked at by people; here are the rules without which a table is cut or a heading stranded.
#[test]
fn on_paper_wide_tables_have_their_own_pages_and_the_title_of_the_round_is_on_each() {
    let mut round = Round::realistic();
    round.matches.truncate(1);
    let mut report = round.report();
    report.round_title = "Ronda \\ \"2027\" </style><script> ñ";
    let html = render(&report);
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let title = r#"content: "Ronda\000020\00005c\000020\0000222027\000022\000020\00003c\00002fstyle\00003e\00003cscript\00003e\000020\0000f1"#;
    assert!(style.contains(title), "{}", style.split("@top-left").nth(1).unwrap());
    for rule in [
        "@page wide { size: A4 landscape;",
        "#matches, #unmatched { page: wide; }",
        ".scroll { overflow: visible; }",
        "thead { display: table-header-group; }",
        "counter(page)",
    ] {
        assert!(style.contains(rule), "{rule}");
    }
}

#[test]
fn a_kind_of_mentor_to_recruit_is_named_with_the_mentees_whom_she_would_serve() {
    let mut round = Round::of(30, 8, 3);
    let wanted = |languages| {
        Reason::new(ReasonCode::MentorWanted)
            .with("any_language", languages)
            .with("level", "B2")
            .with("from", "student")
            .with("to", "executive")
    };
    let mentees = round.unmatched.iter_mut().filter(|one| one.side == Some(Side::Mentee));
    let ids: Vec<String> = mentees
        .zip(["kk,ru", "ru"])
        .map(|(one, languages)| {
            one.details.push(wanted(languages));
            one.profile.short()
        })
        .collect();
    let html = render(&round.report());
    let text: String =
        html.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    assert!(
        text.contains("A mentor who speaks Russian at level B2 or better – would serve 2 mentees"),
        "{text}"
    );
    let named = [ids.join(", "), format!("{}, {}", ids[1], ids[0])];
    assert!(named.iter().any(|ids| text.contains(ids)), "{ids:?}: {text}");
    assert!(
        text.contains("A mentor who speaks Kazakh or Russian at level B2 or better"),
        "in her own row: {text}"
    );
}

#[test]
fn a_manager_reads_topics_that_her_own_mentees_lack_and_none_of_mentees_whose_mentors_she_does_not_know() {
    let mut round = Round::of(6, 4, 3);
    round.unmatched.clear();
    round.summary.whole_round = None;
    let profile = |id: &str| ProfileRef::from_name(&format!("organisations/{id}")).unwrap();
    let pair = |mentee: &str, mentor: &str, topics: &str| {
        let mut pair = round.matches[0].clone();
        let reason = Reason::new(ReasonCode::TopicsNone).with("sought", 1).with("topics", topics);
        pair.contributions[0] =
            Contribution { criterion: Some(Criterion::Topics), points: 0, max_points: 900, reason };
        (pair.mentee, pair.mentor) = (profile(mentee), profile(mentor));
        pair
    };
    let foreign = pair("wim-001/profiles/E-1", "wim-000/profiles/R-1", "negotiation");
    let own = pair("wim-000/profiles/E-2", "wim-000/profiles/R-2", "leadership");
    let abroad = pair("wim-000/profiles/E-3", "wim-001/profiles/R-3", "leadership");
    let told = |matches: &[Match]| {
        let html = render(&RoundReport { matches, ..round.report() });
        let topics =
            html.split(r#"<p class="topics">"#).nth(1).map(|line| line.split("</p>").next().unwrap());
        topics.map(str::to_owned)
    };
    let topics = told(&[foreign.clone(), own.clone(), abroad.clone()]).expect("a line");
    assert!(topics.contains("leadership (2)") && !topics.contains("negotiation"), "{topics}");
    assert_eq!(told(std::slice::from_ref(&foreign)), None);
    assert_eq!(told(&[foreign, abroad]), None, "either may be the own organisation");
    assert!(told(&[own]).is_some());
}

#[test]
fn percentages_of_people_are_shown_only_for_groups_of_23_or_more() {
    let round = Round::realistic();
    let html = render(&round.report());
    let coverage =
        html.split(r#"<section id="coverage""#).nth(1).unwrap().split("</section>").next().unwrap();
    let chart =
        coverage.split(r#"<text class="value""#).skip(1).map(|rest| rest.split("</text>").next().unwrap());
    let mut with_share = 0;
    for value in chart.map(|value| value.rsplit('>').next().unwrap()) {
        let base: u64 =
            value.split(" of ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(value.contains('%'), base >= 23, "{value}");
        with_share += usize::from(base >= 23);
    }
    assert!(with_share > 0, "some group of the sample is large enough");
}

#[test]
fn a_round_without_matches_says_so_and_draws_nothing() {
    let html = render(&Round::of(14, 0, 1).report());
    assert!(html.contains("There is no match, so there is no score to show."));
    assert!(html.contains("None of the 14 mentees has a mentor in this proposal."));
    assert!(!html.contains(r#"id="histogram""#) && !html.contains("NaN"));
    let nobody = render(&Round::of(0, 0, 1).report());
    assert!(nobody.contains("No mentee is enrolled in this round"), "{}", body(&nobody));
    assert!(nobody.contains("No mentee is enrolled.") && nobody.contains("No hard rule excludes any pair."));
    let only = render(&Round::of(1, 1, 1).report());
    assert!(only.contains("The only mentee has a mentor in this proposal."));
}

#[test]
fn of_200_organisations_the_30_least_covered_are_drawn_and_all_are_in_the_table() {
    let round = Round::of(1_500, 900, 200);
    let html = render(&round.report());
    let panel = html.split(r#"aria-labelledby="organisations-title"#).nth(1).unwrap();
    let chart = panel.split("<details").next().unwrap();
    assert_eq!(times(chart, r#"<text class="label""#), 31, "30 bars and one for all others");
    let table = panel.split("<details").nth(1).unwrap().split("</details>").next().unwrap();
    assert_eq!(
        times(table, r#"<th scope="row">"#),
        round.summary.whole_round.as_ref().unwrap().organisations.len()
    );
    assert!(chart.contains("All other organisations: "));
}

#[test]
fn of_5000_matches_the_first_500_are_shown_and_the_rest_is_counted() {
    let round = Round::of(5_600, 2_000, 60);
    let html = render(&round.report());
    assert!(round.matches.len() > 5_000);
    let matches = html.split(r#"<section id="matches""#).nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(times(matches, r#"<th scope="row""#), 500);
    assert_eq!(times(matches.split("<details").next().unwrap(), r#"<th scope="row""#), 25);
    assert!(matches.contains("This report shows the first 500 of 5,200 matches."), "{}", round.matches.len());
    assert!(
        html.contains(r#"text-anchor="middle">1,"#),
        "counts of the histogram are written like all others"
    );
    assert!(html.len() < 2_000_000, "{} bytes open on a phone", html.len());
}

#[test]
fn a_report_that_cannot_list_everybody_does_not_say_that_it_does() {
    let round = Round::of(8_400, 300, 5);
    let html = render(&round.report());
    assert!(html.contains("7,800 of 8,400 mentees have a mentor in this proposal; 600 have none."));
    assert!(html.contains("This report shows the first 500 of 600 people."));
}

#[test]
fn a_result_without_proof_is_never_called_optimal() {
    let mut round = Round::realistic();
    round.summary.proof = crate::domain::run::Proof::new(false, None);
    let html = render(&round.report());
    assert!(!html.contains("Optimal") && html.contains("Not proved"));
    assert!(html.contains("It has not been proved that this is the best choice"));
}

#[test]
fn the_best_result_found_is_shown_with_its_bound_on_people() {
    let mut round = Round::realistic();
    round.summary.proof = crate::domain::run::Proof::new(false, Some(1));
    let html = render(&round.report());
    let (matched, most) = (round.summary.matched_mentees, round.summary.matched_mentees + 1);
    assert!(html.contains("Best found") && !html.contains("Optimal") && !html.contains("Not proved"));
    assert!(html.contains(&format!("{matched} of at most {most} mentees have a mentor")), "{}", body(&html));
    // The bound is one on all of them, not on those who are matched.
    let (matched, most) = (matched.to_string(), most.to_string());
    for (lang, of) in [
        (Lang::Fr, "{matched} personnes mentorées sur un maximum de {most} ont"),
        (Lang::Es, "{matched} de un máximo de {most} mentees"),
        (Lang::Pt, "{matched} de no máximo {most} mentoradas"),
    ] {
        let html = render(&RoundReport { lang, ..round.report() });
        let of = of.replace("{matched}", &matched).replace("{most}", &most);
        assert!(html.contains(&of), "{of}");
    }
    // A manager reads no number about everyone.
    round.summary.proof.gap = None;
    let html = render(&round.report());
    assert!(html.contains("Best found") && !html.contains("Not proved") && !html.contains(" of at most "));
    assert!(html.contains("This is the best choice of matches that was found."), "{}", body(&html));
}

#[test]
fn the_report_claims_what_the_objective_proves_and_nothing_else() {
    let mut round = Round::realistic();
    for (objective, name, proved, not_proved) in [
        (Objective::BestTotal, "Optimal", "fits better in total", "not matched would both"),
        (Objective::Fairest, "Fairest", "none has a higher lowest score", "fits better in total"),
        (Objective::Stable, "Stable", "not matched would both score higher", "gives more mentees a mentor"),
    ] {
        round.summary.objective = objective;
        let html = render(&round.report());
        assert!(html.contains(&format!("</svg>{name}")) && html.contains(proved), "{objective:?}");
        let meaning =
            html.split("id=\"meaning-heading\"").nth(1).unwrap().split("</section>").next().unwrap();
        let guide = html.split("id=\"guide\"").nth(1).unwrap();
        assert!(!meaning.contains(not_proved), "{objective:?}");
        assert_eq!(guide.contains("optimised as a whole"), objective != Objective::Stable);
    }
}

#[test]
fn invented_people_are_called_invented_at_the_very_top_and_real_ones_nowhere() {
    let round = Round::realistic();
    let mut report = round.report();
    let synthetic = render(&report);
    assert!(synthetic.find("Synthetic sample").unwrap() < synthetic.find("<h1").unwrap());
    report.synthetic = false;
    assert!(!render(&report).contains("ynthetic"));
}

#[test]
fn every_language_has_every_text_of_the_report() {
    let round = Round::realistic();
    for (lang, title) in [
        (Lang::En, "What this means"),
        (Lang::Fr, "Ce que cela veut dire"),
        (Lang::Es, "Qué significa"),
        (Lang::Pt, "O que isso significa"),
    ] {
        let html = render(&RoundReport { lang, ..round.report() });
        assert!(html.contains(&format!(r#"<html lang="{}">"#, lang.tag())));
        assert!(html.contains(title));
        let footer = html.split("<footer").nth(1).unwrap();
        let command = "wim-match round show 2027-spring 3 --matches 2027-spring.xlsx";
        assert!(footer.contains(command) && !footer.contains("ListMatches"), "{}", lang.tag());
        assert!(!body(&html).contains(['{', '}']), "a parameter was left open in {lang:?}");
    }
}

#[test]
#[ignore = "writes reports into the directory named by WIM_REPORT_DIR, to be looked at"]
fn reports_of_all_shapes_are_written_to_a_directory() {
    let directory = std::path::PathBuf::from(std::env::var_os("WIM_REPORT_DIR").unwrap());
    let write = |name: &str, html: String| std::fs::write(directory.join(name), html).unwrap();
    let round = Round::realistic();
    for lang in Lang::ALL {
        write(&format!("{}.html", lang.tag()), render(&RoundReport { lang, ..round.report() }));
    }
    write("empty.html", render(&Round::of(14, 0, 1).report()));
    write("one.html", render(&Round::of(1, 1, 1).report()));
    write("large.html", render(&Round::of(5_600, 2_000, 200).report()));
}
