//! The top of the report: which round, what came out, and what that means in plain words.

use maud::{Markup, html};

use super::words::Words;
use super::{RoundReport, chart, number};

/// Title, dates and, where the people are invented, the notice that says so.
pub(super) fn masthead(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let dates = words.fill("meta.dates", &[("start", &report.start_date), ("end", &report.end_date)]);
    html! {
        @if report.synthetic {
            p.notice role="note" { strong { (words.text("synthetic.title")) } " " (words.text("synthetic.text")) }
        }
        p.eyebrow { (words.text("document.eyebrow")) }
        h1 { (report.round_title) }
        dl.meta {
            div { dt { (words.text("meta.mentorships")) } dd { (dates) } }
            div { dt { (words.text("meta.run")) } dd { (report.run) } }
            div { dt { (words.text("meta.generated")) } dd { (report.generated_at) } }
        }
        p.aside { (words.text("meta.readers")) }
    }
}

/// The figures everybody asks for first, and what they mean.
pub(super) fn section(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let summary = report.summary;
    let part = |key: &str, part: u64, whole: u64| {
        let total = words.fill("of", &[("total", &words.count(whole))]);
        let note = match number::share(part, whole, words.0) {
            Some(share) => format!("{total} · {share}"),
            None => total,
        };
        tile(words, key, &words.count(part), &note, Some((part, whole)))
    };
    let score = if summary.matches == 0 {
        tile(words, "tile.score", "–", words.text("tile.score.none"), None)
    } else {
        let (worst, best) = (words.score(summary.worst_score), words.score(summary.best_score));
        let note = words.fill("tile.score.range", &[("worst", &worst), ("best", &best)]);
        let points = (u64::from(summary.median_score), 10_000);
        tile(words, "tile.score", &words.score(summary.median_score), &note, Some(points))
    };
    let pairs = words.fill("tile.pairs.of", &[("pairs", &words.count(summary.pairs))]);
    html! {
        div.tiles {
            (part("tile.mentees", summary.matched_mentees, summary.mentees))
            (part("tile.mentors", summary.matched_mentors, summary.mentors))
            (part("tile.places", summary.matches, summary.places))
            (score)
            (tile(words, "tile.pairs", &words.count(summary.candidates), &pairs,
                Some((summary.candidates, summary.pairs))))
            (proof_tile(report))
        }
        section.meaning aria-labelledby="meaning-heading" {
            h2 id="meaning-heading" { (words.text("meaning.title")) }
            div.plain { @for paragraph in meaning(report) { p { (paragraph.join(" ")) } } }
        }
    }
}

fn tile(words: Words, key: &str, value: &str, note: &str, meter: Option<(u64, u64)>) -> Markup {
    html! {
        div.tile {
            p.name { (words.text(key)) }
            p.figure { (value) }
            @if let Some((part, whole)) = meter { (chart::meter(part, whole)) }
            p.note { (note) }
        }
    }
}

fn proof_tile(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let proof = &report.summary.proof;
    let checked = words.count(proof.candidates_checked);
    let (value, note, class) = if proof.proved {
        ("tile.proof.optimal", words.fill("tile.proof.text", &[("candidates", &checked)]), "tile proof")
    } else {
        let gap = words.count(gap(report));
        let note = words.fill("tile.proof.open.text", &[("candidates", &checked), ("gap", &gap)]);
        ("tile.proof.open", note, "tile proof open")
    };
    html! {
        div class=(class) {
            p.name { (words.text("tile.proof")) }
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

fn gap(report: &RoundReport<'_>) -> u128 {
    report.summary.proof.primal.abs_diff(report.summary.proof.dual)
}

/// Sentences on who is matched, on how well, and on how sure that is; each only where it applies.
fn meaning(report: &RoundReport<'_>) -> Vec<Vec<String>> {
    let words = report.words();
    let summary = report.summary;
    if summary.mentees == 0 {
        return vec![vec![words.text("meaning.nobody").to_owned()]];
    }
    let mentees = words.count(summary.mentees);
    let unmatched = summary.mentees.saturating_sub(summary.matched_mentees);
    let mut who = vec![match (summary.matched_mentees, unmatched) {
        (0, _) => words.fill("meaning.none", &[("mentees", &mentees)]),
        (_, 0) => words.fill("meaning.all", &[("mentees", &mentees)]),
        (matched, unmatched) => words.fill(
            "meaning.some",
            &[
                ("matched", &words.count(matched)),
                ("mentees", &mentees),
                ("unmatched", &words.count(unmatched)),
            ],
        ),
    }];
    if summary.second_places_missed > 0 {
        who.push(words.fill("meaning.second", &[("missed", &words.count(summary.second_places_missed))]));
    }
    let places = words.count(summary.places);
    let free = summary.places.saturating_sub(summary.matches);
    who.push(if free > 0 {
        words.fill("meaning.places", &[("free", &words.count(free)), ("places", &places)])
    } else {
        words.fill("meaning.places.none", &[("places", &places)])
    });
    if summary.mentors_below_minimum > 0 {
        who.push(words.fill("meaning.minimum", &[("mentors", &words.count(summary.mentors_below_minimum))]));
    }
    let mut paragraphs = vec![who];
    if summary.matches > 0 {
        let (median, worst) = (words.score(summary.median_score), words.score(summary.worst_score));
        paragraphs.push(vec![words.fill("meaning.score", &[("median", &median), ("worst", &worst)])]);
    }
    let sure = if summary.proof.proved {
        words.fill("meaning.proof", &[("candidates", &words.count(summary.proof.candidates_checked))])
    } else {
        words.fill("meaning.proof.open", &[("gap", &words.count(gap(report)))])
    };
    paragraphs.push(vec![sure, words.text("meaning.decision").to_owned()]);
    paragraphs
}
