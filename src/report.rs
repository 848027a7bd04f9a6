//! The report of a round's run: one HTML file that says what came out, how good it is, why, and for whom not. It needs
//! no network, no script and nothing beside it, so that it can be mailed, archived and printed as it is.

pub mod chart;
mod coverage;
mod headline;
mod matching;
mod number;
mod origin;
mod people;
mod words;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::domain::name::OrganisationId;
use crate::domain::run::{Match, RunSummary, Unmatched};
use crate::domain::vocabulary::Lang;
use words::Words;

/// What a report is made of. It is meant for coordinators: it names every pair, by pseudonym.
#[derive(Debug, Clone)]
pub struct RoundReport<'a> {
    /// Display name of the round.
    pub round_title: &'a str,
    /// First day of the mentorships, as it shall be read: `2027-03-01` reads alike in every language.
    pub start_date: String,
    /// Last day of the mentorships.
    pub end_date: String,
    /// Resource name of the run, `rounds/{round}/runs/{run}`.
    pub run: &'a str,
    /// When the report was made, as it shall be read.
    pub generated_at: String,
    /// Version of the policy that the run used.
    pub policy_version: i64,
    /// Version of the engine that solved it.
    pub engine_version: &'a str,
    /// Digest of the run's snapshot.
    pub input_digest: &'a str,
    /// Digest of its result.
    pub result_digest: &'a str,
    /// The result in numbers.
    pub summary: &'a RunSummary,
    /// Every match, in any order.
    pub matches: &'a [Match],
    /// Everybody without a match, in any order.
    pub unmatched: &'a [Unmatched],
    /// Names of the organisations; one that is missing is shown by its id.
    pub organisation_names: &'a BTreeMap<OrganisationId, String>,
    /// Language of the report.
    pub lang: Lang,
    /// Whether the people are invented: said at the very top.
    pub synthetic: bool,
}

impl RoundReport<'_> {
    fn words(&self) -> Words {
        Words(self.lang)
    }

    fn organisation<'b>(&'b self, id: &'b OrganisationId) -> &'b str {
        self.organisation_names.get(id).map_or(id.as_str(), String::as_str)
    }
}

/// Renders the whole HTML document. Equal reports give equal bytes.
pub fn render(report: &RoundReport<'_>) -> String {
    let words = report.words();
    let sections: [(&str, Markup); 7] = [
        ("scores", matching::scores(report)),
        ("coverage", coverage::section(report)),
        ("criteria", matching::criteria(report)),
        ("rules", matching::rules(report)),
        ("matches", people::matches(report)),
        ("unmatched", people::unmatched(report)),
        ("guide", origin::guide(report)),
    ];
    let document = html! {
        (DOCTYPE)
        html lang=(report.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing may be loaded from anywhere, whatever a name in the report says.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (words.fill("document_title", &[("round", &report.round_title)])) }
                style { (PreEscaped(include_str!("report/style.css"))) }
            }
            body {
                header.top { (headline::masthead(report)) }
                main {
                    (headline::section(report))
                    nav aria-label=(words.text("document_contents")) {
                        ul {
                            @for (id, _) in &sections {
                                li { a href={ "#" (id) } { (words.text(&format!("{id}_title"))) } }
                            }
                        }
                    }
                    @for (id, content) in &sections {
                        section id=(id) aria-labelledby={ (id) "-heading" } {
                            h2 id={ (id) "-heading" } { (words.text(&format!("{id}_title"))) }
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

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
