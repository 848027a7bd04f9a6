use std::collections::BTreeSet;

use super::*;

/// A reason with a likely value for each of its parameters.
fn sample(code: ReasonCode) -> Reason {
    let mut reason = Reason::new(code);
    for name in code.parameters() {
        let value = match *name {
            "topics" => "leadership,negotiation,networking",
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
            "languages" => "fr,ar",
            "groups" => "wim-peru,wim-chile",
            "organisation" => "wim-peru",
            "score" => "4250",
            "required" if code == ReasonCode::RuleMinScore => "6000",
            "required" => "60",
            "steps" => "2",
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
fn every_key_is_in_all_four_languages() {
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
        for lang in [Lang::Fr, Lang::Es, Lang::Pt] {
            assert_ne!(text(key, lang), english, "{key} in {}", lang.tag());
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
            assert!(words.split([' ', '\u{a0}']).count() <= 26, "{told}");
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
        labels.extend(Stage::ALL.into_iter().map(|value| stage_label(value, lang)));
        labels.extend(RunState::ALL.into_iter().map(|value| run_state_label(value, lang)));
        labels.extend(RoundState::ALL.into_iter().map(|value| round_state_label(value, lang)));
        labels.extend(LanguageLevel::ALL.into_iter().map(|value| level_label(value, lang)));
        labels.extend([Side::Mentee, Side::Mentor].map(|value| side_label(value, lang)));
        labels.extend(
            [
                UnmatchedReason::NoCounterpart,
                UnmatchedReason::NoCandidate,
                UnmatchedReason::Outcompeted,
                UnmatchedReason::PlacesLeftOver,
                UnmatchedReason::NoLiveConsent,
            ]
            .map(|value| unmatched_label(value, lang)),
        );
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
    };
    let three = topics(3, 4, "leadership,negotiation,networking");
    assert_eq!(
        render(&three, Lang::En),
        "offers 3 of the 4 topics sought: leadership, negotiation and networking"
    );
    assert_eq!(
        render(&three, Lang::Fr),
        "propose 3 des 4 sujets recherchés\u{a0}: leadership, négociation et réseautage"
    );
    assert_eq!(
        render(&three, Lang::Es),
        "ofrece 3 de los 4 temas buscados: liderazgo, negociación y construcción de redes de contactos"
    );
    assert_eq!(
        render(&three, Lang::Pt),
        "oferece 3 dos 4 temas buscados: liderança, negociação e construção de redes de contatos"
    );
    assert_eq!(sentence(&topics(1, 1, "leadership"), Lang::En), "Offers the topic sought: leadership.");
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
        "no answer on “Career stage”, so a neutral value counts"
    );
    assert!(said(ReasonCode::SingleRuleRelaxed, Lang::Es).contains("«Suficientes horas en común»"));
    assert_eq!(said(ReasonCode::RuleMinScore, Lang::Fr), "leur score est sous le minimum de 60,00\u{a0}%");
    assert_eq!(
        said(ReasonCode::RuleWeeklyOverlap, Lang::En),
        "3 minutes in common per week, where 60 are needed",
        "minutes are minutes"
    );
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
fn lists_are_joined_as_each_language_does() {
    assert_eq!(list(&["a"], Lang::En), "a");
    assert_eq!(list(&["a", "b", "c"], Lang::En), "a, b and c");
    assert_eq!(list(&["geología", "informática"], Lang::Es), "geología e informática");
    assert_eq!(list(&["agua", "historia"], Lang::Es), "agua e historia");
    assert_eq!(list(&["agua", "hielo"], Lang::Es), "agua y hielo");
    assert_eq!(list(&["a", "b"], Lang::Fr), "a et b");
    assert_eq!(list(&["geology and exploration", "finance"], Lang::En), "geology and exploration; finance");
    assert_eq!(list(&[], Lang::Pt), NO_VALUE);
}

#[test]
fn texts_are_filled_with_named_values() {
    assert_eq!(
        fill("reason.SAME_COUNTRY", Lang::En, &[("country", &"Peru")]),
        "both live in the same country: Peru"
    );
    assert_eq!(score(10_000, Lang::En), "100.00%");
    assert_eq!(score(5, Lang::Pt), "0,05%");
    assert_eq!(capitalised("état"), "État");
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
