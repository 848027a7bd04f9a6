//! How to read and contest the report, and the versions and digests of its input.

use maud::{Markup, html};

use super::round_report::RoundReport;
use crate::domain::policy::Objective;

/// Meaning of the figures, and the steps to have a case reviewed by a person.
pub(super) fn guide(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    // A stable result is about each pair, and all others are about the round as a whole.
    let best = match report.summary.objective {
        Objective::Stable => "guide_best_text_stable",
        Objective::BestTotal | Objective::Fairest => "guide_best_text",
    };
    html! {
        div.guide {
            @for (title, text) in [
                ("guide_score_title", "guide_score_text"),
                ("guide_rules_title", "guide_rules_text"),
                ("guide_best_title", best),
                ("guide_same_title", "guide_same_text"),
            ] {
                div {
                    h3 { (words.text(title)) }
                    p { (words.text(report.key(text))) }
                }
            }
        }
        div.contest {
            h3 { (words.text("guide_contest_title")) }
            p { (words.text("guide_contest_text")) }
            ol { @for step in 1..=4 { li { (words.text(&format!("guide_contest_step{step}"))) } } }
        }
    }
}

/// Versions and digests of the input and of the result, for reproducing the run.
pub(super) fn footer(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let rows = [
        ("footer_run", report.run.to_owned()),
        ("footer_policy", report.policy_version.to_string()),
        ("footer_engine", report.engine_version.to_owned()),
        ("footer_input", report.input_digest.to_owned()),
        ("footer_result", report.result_digest.to_owned()),
        ("footer_data", words.fill("footer_data_text", &[("command", &command(report))])),
    ];
    html! {
        h2 { (words.text("footer_title")) }
        dl { @for (key, value) in rows.iter().filter(|(_, value)| !value.is_empty()) { div { dt { (words.text(key)) } dd { (with_code(value)) } } } }
    }
}

/// The command that writes everything in the report as a spreadsheet.
fn command(report: &RoundReport<'_>) -> String {
    let (round, number) = report.run.split_once("/runs/").unwrap_or_default();
    let round = round.strip_prefix("rounds/").unwrap_or(round);
    format!("wim-match round show {round} {number} --matches {round}.xlsx")
}

/// A text whose parts between backticks are commands.
fn with_code(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
