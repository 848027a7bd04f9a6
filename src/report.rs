//! The report of a round's run as one HTML file: the result, its quality, the reasons, and the people without a match.
//!
//! The file needs no network, no script and no other file, so that it can be mailed, archived and printed as it is.

pub mod chart;
mod coverage;
mod headline;
mod matching;
mod number;
mod origin;
mod people;
pub mod release;
mod round_report;
pub mod spreadsheet;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::round_report::RoundReport;

/// Renders the whole HTML document. Equal reports give equal bytes.
pub fn render(report: &RoundReport<'_>) -> String {
    let words = report.words();
    let mut sections: Vec<(&str, Markup)> = vec![("scores", matching::scores(report))];
    sections.extend(coverage::section(report).map(|content| ("coverage", content)));
    if let Some(whole) = &report.summary.whole_round {
        sections.push(("criteria", matching::criteria(report, whole)));
        sections.push(("rules", matching::rules(report, whole)));
    }
    sections.push(("matches", people::matches(report)));
    sections.push(("unmatched", people::unmatched(report)));
    sections.push(("guide", origin::guide(report)));
    let title = |id: &str| match id {
        "coverage" => words.text(report.key("coverage_title")),
        id => words.text(&format!("{id}_title")),
    };
    let document = html! {
        (DOCTYPE)
        html lang=(report.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // A name in the report cannot make a browser load anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (words.fill("document_title", &[("round", &report.round_title)])) }
                style { (PreEscaped(include_str!("report/style.css"))) (PreEscaped(running_title(report))) }
            }
            body {
                header.top { (headline::masthead(report)) }
                main {
                    (headline::section(report))
                    nav aria-label=(words.text("document_contents")) {
                        ul {
                            @for (id, _) in &sections {
                                li { a href={ "#" (id) } { (title(id)) } }
                            }
                        }
                    }
                    @for (id, content) in &sections {
                        section id=(id) aria-labelledby={ (id) "-heading" } {
                            h2 id={ (id) "-heading" } { (title(id)) }
                            (content)
                        }
                    }
                }
                footer { (origin::footer(report)) }
            }
        }
    };
    document.into_string()
}

/// The style rule that writes the title of the round and the run at the top of each page but the first. Every character
/// of the title that is not a letter or a digit is an escape of CSS, so that no title ends the string or the style sheet.
fn running_title(report: &RoundReport<'_>) -> String {
    let mut title = String::new();
    for c in format!("{} · {}", report.round_title, report.run).chars() {
        if c.is_ascii_alphanumeric() {
            title.push(c);
        } else {
            title.extend(["\\", &format!("{:06x}", u32::from(c))]);
        }
    }
    let style = r#"font: 8pt "Noto Sans", "Liberation Sans", Arial, sans-serif; color: #52605c;"#;
    format!(
        "@media print {{ @page {{ @top-left {{ content: \"{title}\"; {style} }} }} \
         @page :first {{ @top-left {{ content: none; }} }} }}"
    )
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
