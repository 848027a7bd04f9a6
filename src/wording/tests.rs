use std::collections::BTreeSet;

use super::*;

/// A reason with a likely value for each of its parameters.
fn sample(code: ReasonCode) -> Reason {
    let mut reason = Reason::new(code);
    for name in code.parameters() {
        let value = match *name {
            "topics" => "leadership,negotiation,networking",
            "missing" => "career_planning",
            "functions" => "geology_exploration,it_data_automation",
            "commodities" => "copper",
            "goals" => "lead_people,build_network",
            "styles" => "structured,listening",
            "modes" => "call,in_person",
            "criterion" => "career_stage",
            "rule" => "weekly_overlap",
            "level" => "B2",
            "country" => "PE",
            "region" => "005",
            "language" => "es-PE",
            "languages" | "any_language" => "fr,ar",
            "from" => "manager",
            "to" => "senior_manager",
            "groups" => "wim-peru,wim-chile",
            "organisation" => "wim-peru",
            "score" => "4250",
            "required" if code == ReasonCode::RuleMinScore => "6000",
            "required" => "60",
            "steps" | "covered" | "common" => "2",
            "min" => "0",
            "max" => "5",
            _ => "3",
        };
        reason = reason.with(name, value);
    }
    reason
}

#[test]
fn every_reason_has_a_text_in_every_language_with_the_parameters_it_declares() {
    for code in ReasonCode::ALL {
        let declared: BTreeSet<&str> = code.parameters().iter().copied().collect();
        for lang in Lang::ALL {
            let key = format!("reason.{}", code.as_str());
            let entry = catalogue::entry(&key, lang).unwrap_or_else(|| panic!("no {key} in {}", lang.tag()));
            let used: BTreeSet<&str> = entry.template.parameters().into_iter().collect();
            assert_eq!(used, declared, "{key} in {}", lang.tag());
        }
    }
}

/// `build.rs` reads the codes from the file line by line, and the catalogue reads the file as TOML.
#[test]
fn the_reason_codes_are_the_keys_of_the_table_of_reasons() {
    let keys = catalogue::keys(Lang::En);
    let keys: BTreeSet<&str> = keys.into_iter().filter_map(|key| key.strip_prefix("reason.")).collect();
    assert_eq!(ReasonCode::ALL.into_iter().map(ReasonCode::as_str).collect::<BTreeSet<_>>(), keys);
}

#[test]
fn every_key_is_in_every_language() {
    let english = catalogue::keys(Lang::En);
    for lang in Lang::ALL {
        let keys = catalogue::keys(lang);
        let missing: Vec<_> = english.difference(&keys).collect();
        let surplus: Vec<_> = keys.difference(&english).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{}: missing {missing:?}, surplus {surplus:?}",
            lang.tag()
        );
    }
}

#[test]
fn every_text_has_the_parameters_of_the_english_one() {
    for key in catalogue::keys(Lang::En) {
        let parameters = |lang| -> BTreeSet<&str> {
            catalogue::entry(key, lang)
                .map(|entry| entry.template.parameters())
                .unwrap_or_default()
                .into_iter()
                .collect()
        };
        for lang in Lang::ALL {
            assert_eq!(parameters(lang), parameters(Lang::En), "{key} in {}", lang.tag());
        }
    }
}

#[test]
fn no_sentence_is_left_in_english() {
    // Words such as `of` and `Total` may be alike by chance; whole sentences are not.
    let is_sentence = |key: &&str| text(key, Lang::En).split(' ').count() >= 4;
    for key in catalogue::keys(Lang::En).into_iter().filter(is_sentence) {
        let english = text(key, Lang::En);
        for lang in Lang::ALL.into_iter().filter(|lang| *lang != Lang::En) {
            assert_ne!(text(key, lang), english, "{key} in {}", lang.tag());
        }
    }
}

#[test]
fn the_space_before_a_sign_is_that_of_the_language() {
    for lang in Lang::ALL {
        let conventions = lang.conventions();
        for (sign, with_spaces) in
            [(':', conventions.colon), (';', conventions.semicolon), ('%', conventions.percent)]
        {
            let space = with_spaces.chars().next().filter(|first| *first != sign);
            for key in catalogue::keys(lang) {
                let text = text(key, lang);
                for (at, _) in text.match_indices(sign) {
                    let before = text[..at].chars().next_back().filter(|c| c.is_whitespace());
                    assert_eq!(before, space, "{}: {key}: {text}", lang.tag());
                }
            }
        }
    }
}

#[test]
fn sentences_are_short_whole_and_without_loose_ends() {
    for code in ReasonCode::ALL {
        for lang in Lang::ALL {
            let words = render(&sample(code), lang);
            let told = format!("{}: {words}", lang.tag());
            assert!(!words.contains(['{', '}', '|', '_']) && !words.contains(NO_VALUE), "{told}");
            assert!(!words.contains("  ") && words.trim() == words && !words.ends_with('.'), "{told}");
            assert!(words.split([' ', '\u{a0}']).count() <= 25, "{told}");
        }
    }
}

#[test]
fn every_label_is_there_in_every_language() {
    for lang in Lang::ALL {
        let mut labels: Vec<&str> =
            Criterion::ALL.into_iter().map(|value| criterion_label(Some(value), lang)).collect();
        labels.push(criterion_label(None, lang));
        labels.extend(HardRule::ALL.into_iter().map(|value| rule_label(value, lang)));
        labels.extend(HardRule::ALL.into_iter().map(|value| exclusion_label(value, lang)));
        labels.extend(run::Stage::ALL.into_iter().map(|value| stage_label(value, lang)));
        labels.extend(RunState::ALL.into_iter().map(|value| run_state_label(value, lang)));
        labels.extend(RoundState::ALL.into_iter().map(|value| round_state_label(value, lang)));
        labels.extend(LanguageLevel::ALL.into_iter().map(|value| level_label(value, lang)));
        labels.extend([Side::Mentee, Side::Mentor].map(|value| side_label(value, lang)));
        labels.extend(UnmatchedReason::ALL.into_iter().map(|value| unmatched_label(value, lang)));
        assert!(labels.iter().all(|label| !label.is_empty()), "{}", lang.tag());
    }
}

#[test]
fn a_reason_reads_like_a_person_wrote_it() {
    let topics = |covered: u8, sought: u8, topics: &str| {
        Reason::new(ReasonCode::TopicsCovered)
            .with("covered", covered)
            .with("sought", sought)
            .with("topics", topics)
            .with("missing", if covered < sought { "career_planning" } else { "" })
    };
    let three = topics(3, 4, "leadership,negotiation,networking");
    assert_eq!(
        render(&three, Lang::En),
        "offers 3 of the 4 topics sought: leadership, negotiation and networking; not offered: career planning"
    );
    assert_eq!(
        render(&three, Lang::Fr),
        "propose 3 des 4 thèmes recherchés\u{a0}: leadership, négociation et réseautage\u{a0}; ne propose pas\u{a0}: plan de carrière"
    );
    assert_eq!(
        render(&three, Lang::Es),
        "ofrece 3 de los 4 temas buscados: liderazgo, negociación y creación de redes de contactos; no ofrece: planificación de carrera"
    );
    assert_eq!(
        render(&three, Lang::Pt),
        "oferece 3 dos 4 temas buscados: liderança, negociação e construção de redes de contatos; não oferece: planejamento de carreira"
    );
    assert_eq!(sentence(&topics(1, 1, "leadership"), Lang::En), "Offers the topic sought: leadership.");
    let both = render(&topics(2, 2, "leadership,negotiation"), Lang::En);
    assert_eq!(both, "offers both topics sought: leadership and negotiation");
    let all = render(&topics(3, 3, "leadership,negotiation,networking"), Lang::Pt);
    assert!(all.starts_with("oferece os 3 temas buscados: "), "{all}");
}

#[test]
fn values_are_named_in_the_readers_language() {
    let said = |code, lang| render(&sample(code), lang);
    assert_eq!(said(ReasonCode::SameCountry, Lang::Pt), "vivem no mesmo país: Peru");
    assert_eq!(said(ReasonCode::SameRegion, Lang::Es), "viven en la misma región: América del Sur");
    assert_eq!(said(ReasonCode::LanguageNative, Lang::En), "both are native speakers of Spanish");
    assert_eq!(said(ReasonCode::ModesShared, Lang::Fr), "rencontres possibles à distance et en personne");
    assert_eq!(
        said(ReasonCode::MissingAnswer, Lang::En),
        "“Career stage” was not answered, so a neutral value is used"
    );
    assert!(said(ReasonCode::SingleRuleRelaxed, Lang::Es).contains("«Suficientes horas en común»"));
    assert_eq!(
        said(ReasonCode::RuleMinScore, Lang::Fr),
        "leur score sans les réponses confidentielles est sous le minimum de 60,00\u{202f}%"
    );
    assert_eq!(
        said(ReasonCode::RuleWeeklyOverlap, Lang::En),
        "3 minutes in common per week, but at least 60 minutes are needed",
        "minutes are minutes"
    );
    let native = Reason::new(ReasonCode::RuleLanguage).with("level", "native");
    assert_eq!(render(&native, Lang::En), "they share no native language");
    assert_eq!(render(&native, Lang::Fr), "aucune langue maternelle commune");
    let many = Reason::new(ReasonCode::NoCandidate).with("counterparts", 1_877);
    assert!(render(&many, Lang::Fr).contains("1\u{202f}877"), "counts are grouped");
}

#[test]
fn codes_are_understood_in_every_spelling_that_reasons_may_carry() {
    for spelling in ["B2", "b2", "4"] {
        assert_eq!(level(spelling), Some(LanguageLevel::B2), "{spelling}");
    }
    let unknown = Reason::new(ReasonCode::SameCountry).with("country", "XX");
    assert_eq!(
        render(&unknown, Lang::En),
        "both live in the same country: XX",
        "the unknown stands for itself"
    );
    assert_eq!(render(&Reason::new(ReasonCode::SameCountry), Lang::En), "both live in the same country: –");
}

#[test]
fn texts_are_filled_with_named_values() {
    assert_eq!(
        fill("reason.SAME_COUNTRY", Lang::En, &[("country", &"Peru")]),
        "both live in the same country: Peru"
    );
    assert_eq!(labelled("Thèmes", "1 sur 2", Lang::Fr), "Thèmes\u{a0}: 1 sur 2");
    assert_eq!(labelled("Topics", "1 of 2", Lang::En), "Topics: 1 of 2");
    assert_eq!(capitalised("état"), "État");
}

/// Adding a language touches one row of one table; the tests of a file are not read.
#[test]
fn no_file_but_the_table_of_languages_counts_or_names_them() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let (mut read, mut breaches) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_table = path == root.join("domain/vocabulary/lang.rs");
            let is_test =
                path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "sample.rs");
            if is_table || is_test || path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let mut named: Vec<String> = Lang::ALL.iter().map(|lang| format!("Lang::{lang:?}")).collect();
            named.extend(Lang::ALL.iter().map(|lang| format!("\"{}\" =>", lang.tag())));
            named.extend(["four languages", "&'static str; 4"].map(str::to_owned));
            breaches.extend(
                named
                    .into_iter()
                    .filter(|name| product.contains(name.as_str()))
                    .map(|name| format!("{}: {name}", path.strip_prefix(&root).unwrap().display())),
            );
            read += 1;
        }
    }
    assert!(read > 150, "src/ was read");
    assert!(breaches.is_empty(), "a language is one row of domain/vocabulary/lang.rs: {breaches:#?}");
}

/// The snapshot is the sheet that proof-readers get.
#[test]
fn the_proof_sheet_of_all_sentences_is_as_it_was_read_last() {
    let mut sheet = String::new();
    for code in ReasonCode::ALL {
        sheet.push_str(code.as_str());
        for lang in Lang::ALL {
            sheet.extend(["\n  ", lang.tag(), "  ", &render(&sample(code), lang)]);
        }
        sheet.push('\n');
    }
    insta::assert_snapshot!("proof_sheet", sheet);
}
