//! How to read the report and contest what it says, and what it was made from.

use maud::{Markup, html};

use super::round_report::RoundReport;

/// How the figures are meant, and the way to a person who looks at a case again.
pub(super) fn guide(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    html! {
        div.guide {
            @for topic in ["guide_score", "guide_rules", "guide_best", "guide_same"] {
                div {
                    h3 { (words.text(&format!("{topic}_title"))) }
                    p { (words.text(&format!("{topic}_text"))) }
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

/// What the result was made from, so that anybody can make it again and compare.
pub(super) fn footer(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let proof = &report.summary.proof;
    let rows = [
        ("footer_run", report.run.to_owned()),
        ("footer_policy", report.policy_version.to_string()),
        ("footer_engine", report.engine_version.to_owned()),
        ("footer_input", report.input_digest.to_owned()),
        ("footer_result", report.result_digest.to_owned()),
        ("footer_objective", format!("{} / {}", proof.primal, proof.dual)),
        ("footer_data", words.fill("footer_data_text", &[("run", &report.run)])),
    ];
    html! {
        h2 { (words.text("footer_title")) }
        dl { @for (key, value) in &rows { div { dt { (words.text(key)) } dd { (with_code(value)) } } } }
    }
}

/// A text whose parts between backticks are commands.
fn with_code(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
