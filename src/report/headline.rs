//! The top of the report: the round, the main figures, and their meaning in plain words.

use maud::{Markup, html};

use super::round_report::RoundReport;
use super::words::Words;
use super::{chart, number, people};
use crate::domain::policy::Objective;
use crate::domain::run::{ScoreRange, Standing};

/// Title, dates and, for invented people, the notice that they are invented.
pub(super) fn masthead(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let (start, end) = (words.day(report.start_date), words.day(report.end_date));
    let dates = words.fill("meta_dates", &[("start", &start), ("end", &end)]);
    html! {
        @if report.synthetic {
            p.notice role="note" { strong { (words.text("synthetic_title")) } " " (words.text("synthetic_text")) }
        }
        p.eyebrow { (words.text(report.key("document_eyebrow"))) }
        h1 { (report.round_title) }
        dl.meta {
            div { dt { (words.text("meta_mentorships")) } dd { (dates) } }
            div { dt { (words.text("meta_run")) } dd { (report.run) } }
            div { dt { (words.text("meta_generated")) } dd { (words.moment(report.generated_at)) } }
        }
        p.aside { (words.text(report.key("meta_readers"))) }
    }
}

/// Names of a proved result, by objective: best total, fairest, stable.
const OPTIMA: [&str; 3] = ["tile_proof_optimal", "tile_proof_fairest", "tile_proof_stable"];
/// What is proved of it.
const PROOFS: [&str; 3] = ["meaning_proof", "meaning_proof_fairest", "meaning_proof_stable"];

/// The key for the objective of the run.
fn of_objective(report: &RoundReport<'_>, [total, fairest, stable]: [&'static str; 3]) -> &'static str {
    match report.summary.objective {
        Objective::BestTotal => total,
        Objective::Fairest => fairest,
        Objective::Stable => stable,
    }
}

/// The main figures and their meaning.
pub(super) fn section(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let summary = report.summary;
    let part = |key: &'static str, part: u64, whole: u64| {
        let total = words.fill("of", &[("total", &words.count(whole))]);
        let note = match number::share(part, whole, words.0) {
            Some(share) => format!("{total} · {share}"),
            None => total,
        };
        let tile = tile(words, report.key(key), &words.count(part), &note, Some((part, whole)));
        // A share of nobody says nothing.
        (whole > 0).then_some(tile)
    };
    let score = match summary.scores {
        None => tile(words, "tile_score", "–", words.text("tile_score_none"), None),
        Some(ScoreRange { worst, median, best }) => {
            let (worst, best) = (words.score(worst), words.score(best));
            let note = words.fill("tile_score_range", &[("worst", &worst), ("best", &best)]);
            tile(words, "tile_score", &words.score(median), &note, Some((u64::from(median), 10_000)))
        }
    };
    let pairs = summary.whole_round.as_ref().map(|whole| {
        let note = words.fill("tile_pairs_of", &[("pairs", &words.count(whole.pairs))]);
        let meter = Some((whole.candidates, whole.pairs));
        tile(words, "tile_pairs", &words.count(whole.candidates), &note, meter)
    });
    html! {
        div.tiles {
            @for tile in [
                part("tile_mentees", summary.matched_mentees, summary.mentees),
                part("tile_mentors", summary.matched_mentors, summary.mentors),
                part("tile_places", summary.filled_places, summary.places),
            ] {
                @if let Some(tile) = tile { (tile) }
            }
            (score)
            @if let Some(pairs) = pairs { (pairs) }
            (proof_tile(report))
        }
        section.meaning aria-labelledby="meaning-heading" {
            h2 id="meaning-heading" { (words.text("meaning_title")) }
            div.plain { @for paragraph in meaning(report) { p { (paragraph.join(" ")) } } }
        }
    }
}

fn tile(words: Words, key: &str, value: &str, note: &str, meter: Option<(u64, u64)>) -> Markup {
    html! {
        div.tile {
            p.name { (words.text(key)) }
            p.figure.long[value.chars().count() > 7] { (value) }
            @if let Some((part, whole)) = meter { (chart::meter(part, whole)) }
            p.note { (note) }
        }
    }
}

fn proof_tile(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let proof = &report.summary.proof;
    let (value, note, class) = if proof.proved {
        (of_objective(report, OPTIMA), words.text("tile_proof_text").to_owned(), "tile proof")
    } else if let Standing::Bounded { people } = proof.standing() {
        let note = match people {
            Some(people) => {
                let most = words.count(report.summary.matched_mentees + people);
                words.fill("tile_proof_bounded_text", &[("most", &most)])
            }
            None => words.text("tile_proof_bounded_own_text").to_owned(),
        };
        ("tile_proof_bounded", note, "tile proof open")
    } else {
        ("tile_proof_open", words.text("tile_proof_open_text").to_owned(), "tile proof open")
    };
    html! {
        div class=(class) {
            p.name { (words.text("tile_proof")) }
            p.figure {
                svg.mark width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" {
                    circle cx="10" cy="10" r="10" {}
                    @if proof.proved { path d="M5.5 10.5l3 3 6-7" {} } @else { path d="M10 4.5v7M10 14.4v.6" {} }
                }
                (words.text(value))
            }
            p.note { (note) }
        }
    }
}

/// Paragraphs on the number of matched people, on their scores and on the proof. A sentence that does not apply is left
/// out.
fn meaning(report: &RoundReport<'_>) -> Vec<Vec<String>> {
    let words = report.words();
    let summary = report.summary;
    if summary.mentees + summary.mentors == 0 || (summary.mentees == 0 && !report.is_of_one_organisation()) {
        return vec![vec![words.text(report.key("meaning_nobody")).to_owned()]];
    }
    let mentees = words.count(summary.mentees);
    let unmatched = summary.mentees.saturating_sub(summary.matched_mentees);
    let listed = |unmatched: u64| usize::try_from(unmatched).is_ok_and(|people| people <= people::MOST_ROWS);
    let mut who = vec![match (summary.matched_mentees, unmatched) {
        _ if summary.mentees == 0 => words.text(report.key("meaning_nobody")).to_owned(),
        (matched, unmatched) if !listed(unmatched) => words.fill(
            report.key("meaning_many"),
            &[
                ("matched", &words.count(matched)),
                ("mentees", &mentees),
                ("unmatched", &words.count(unmatched)),
            ],
        ),
        (0, _) => words.fill(report.key("meaning_none"), &[("mentees", &mentees)]),
        (_, 0) => words.fill(report.key("meaning_all"), &[("mentees", &mentees)]),
        (matched, unmatched) => words.fill(
            report.key("meaning_some"),
            &[
                ("matched", &words.count(matched)),
                ("mentees", &mentees),
                ("unmatched", &words.count(unmatched)),
            ],
        ),
    }];
    if summary.second_places_missed > 0 {
        who.push(words.fill("meaning_second", &[("missed", &words.count(summary.second_places_missed))]));
    }
    let places = words.count(summary.places);
    let free = summary.places.saturating_sub(summary.filled_places);
    // An organisation of mentees alone has no place that could be free.
    if summary.mentors > 0 || !report.is_of_one_organisation() {
        who.push(if free > 0 {
            words.fill(report.key("meaning_places"), &[("free", &words.count(free)), ("places", &places)])
        } else {
            words.fill(report.key("meaning_places_none"), &[("places", &places)])
        });
    }
    if summary.mentors_below_minimum > 0 {
        who.push(words.fill("meaning_minimum", &[("mentors", &words.count(summary.mentors_below_minimum))]));
    }
    let mut paragraphs = vec![who];
    if let Some(scores) = summary.scores {
        let (median, worst) = (words.score(scores.median), words.score(scores.worst));
        paragraphs.push(vec![words.fill("meaning_score", &[("median", &median), ("worst", &worst)])]);
    }
    let sure = match summary.proof.standing() {
        Standing::Optimal => words.text(of_objective(report, PROOFS)).to_owned(),
        Standing::Bounded { people: None } => words.text("meaning_proof_bounded_own").to_owned(),
        Standing::Bounded { people: Some(people) } => {
            let most = words.count(summary.matched_mentees + people);
            let matched = words.count(summary.matched_mentees);
            words.fill("meaning_proof_bounded", &[("matched", &matched), ("most", &most)])
        }
        Standing::Unproved => words.text("meaning_proof_open").to_owned(),
    };
    paragraphs.push(vec![sure, words.text("meaning_decision").to_owned()]);
    paragraphs
}
