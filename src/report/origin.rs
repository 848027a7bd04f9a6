//! How to read the report and contest what it says, and what it was made from.

use maud::{Markup, html};

use super::RoundReport;

/// How the figures are meant, and the way to a person who looks at a case again.
pub(super) fn guide(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    html! {
        div.guide {
            @for topic in ["guide.score", "guide.rules", "guide.best", "guide.same"] {
                div {
                    h3 { (words.text(&format!("{topic}.title"))) }
                    p { (words.text(&format!("{topic}.text"))) }
                }
            }
        }
        div.contest {
            h3 { (words.text("guide.contest.title")) }
            p { (words.text("guide.contest.text")) }
            ol { @for step in 1..=4 { li { (words.text(&format!("guide.contest.step{step}"))) } } }
        }
    }
}

/// What the result was made from, so that anybody can make it again and compare.
pub(super) fn footer(report: &RoundReport<'_>) -> Markup {
    let words = report.words();
    let proof = &report.summary.proof;
    let rows = [
        ("footer.run", report.run.to_owned()),
        ("footer.policy", report.policy_version.to_string()),
        ("footer.engine", report.engine_version.to_owned()),
        ("footer.input", report.input_digest.to_owned()),
        ("footer.result", report.result_digest.to_owned()),
        ("footer.objective", format!("{} / {}", proof.primal, proof.dual)),
        ("footer.data", words.fill("footer.data.text", &[("run", &report.run)])),
    ];
    html! {
        h2 { (words.text("footer.title")) }
        dl { @for (key, value) in &rows { div { dt { (words.text(key)) } dd { (value) } } } }
    }
}
