//! `wim-match round what-if|alternates`: what other decisions would change in a run, and what other partners of a person would
//! cost.

use clap::{Subcommand, ValueEnum};

use super::failure::Failure;
use super::global::Global;
use super::names::{find, long_name, name, short};
use crate::client::output::{data, items, json, labels, titled};
use crate::client::{Client, v1};
use crate::domain::message::Message;
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compute what other decisions would change in a run; nothing is stored.
    WhatIf {
        /// Id of the round.
        round: String,
        /// A pin: the mentee and the mentor, each as ORGANISATION/ID; repeat it for several.
        #[arg(long, num_args = 2, value_names = ["MENTEE", "MENTOR"], action = clap::ArgAction::Append)]
        pin: Vec<String>,
        /// A veto: the mentee and the mentor; repeat it for several.
        #[arg(long, num_args = 2, value_names = ["MENTEE", "MENTOR"], action = clap::ArgAction::Append)]
        veto: Vec<String>,
        /// Number of a decision that is released; repeat it for several.
        #[arg(long, value_name = "NUMBER")]
        release: Vec<i64>,
        /// Number of the run; without it, the newest run.
        #[arg(long)]
        run: Option<i64>,
    },
    /// List other partners of a person, with what each would cost the whole round.
    Alternates {
        /// Id of the round.
        round: String,
        /// The person, as ORGANISATION/ID.
        person: String,
        /// Side on which she takes part.
        #[arg(long, default_value = "mentee")]
        side: SideArg,
        /// Alternates at most.
        #[arg(long, default_value_t = 10)]
        limit: i32,
        /// Number of the run; without it, the newest run.
        #[arg(long)]
        run: Option<i64>,
    },
}

/// A side of a round.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SideArg {
    /// She seeks a mentor.
    Mentee,
    /// She offers places.
    Mentor,
}

pub(super) async fn run(command: Command, client: &mut Client, global: &Global) -> Result<(), Failure> {
    match command {
        Command::WhatIf { round, pin, veto, release, run } => {
            let run = find(client, &round, run).await?.name;
            let mut add = proposed(v1::DecisionKind::Pin, &pin)?;
            add.extend(proposed(v1::DecisionKind::Veto, &veto)?);
            let round = name("rounds/", &round);
            let release = release.into_iter().map(|number| format!("{round}/decisions/{number}")).collect();
            let request = v1::WhatIfDecisionsRequest { name: run, add, release };
            let answer = client.reviews.what_if_decisions(request).await?.into_inner();
            show(&answer.effect.unwrap_or_default(), global)
        }
        Command::Alternates { round, person, side, limit, run } => {
            let request = v1::ListAlternatesRequest {
                name: find(client, &round, run).await?.name,
                person: long_name(&person)?,
                side: match side {
                    SideArg::Mentee => v1::Side::Mentee,
                    SideArg::Mentor => v1::Side::Mentor,
                }
                .into(),
                limit,
            };
            let found = client.reviews.list_alternates(request).await?.into_inner().alternates;
            let header = [
                message!("Mentee"),
                message!("Mentor"),
                message!("Score"),
                message!("Mentees without a match"),
                message!("Score lost"),
                message!("People who move"),
            ];
            let row = |one: &v1::MatchAlternate| alternate_row(one, global.lang);
            Ok(items(&found, &header, row, global.json, global.lang)?)
        }
    }
}

/// The decisions of pairs that the command names one after the other.
fn proposed(kind: v1::DecisionKind, people: &[String]) -> Result<Vec<v1::ProposedDecision>, Failure> {
    let of = |pair: &[String]| {
        Ok(v1::ProposedDecision {
            kind: kind.into(),
            mentee: long_name(&pair[0])?,
            mentor: long_name(&pair[1])?,
        })
    };
    people.chunks_exact(2).map(of).collect()
}

fn show(effect: &v1::DecisionEffect, global: &Global) -> Result<(), Failure> {
    if global.json {
        return Ok(json(effect)?);
    }
    let (before, after) = (effect.before.unwrap_or_default(), effect.after.unwrap_or_default());
    let change = |of: fn(&v1::ResultNumbers) -> i64| {
        message!("{before} → {after}", before = of(&before), after = of(&after))
    };
    let worst = |numbers: &v1::ResultNumbers| {
        numbers.scores.map_or_else(String::new, |scores| percent(scores.worst.into(), global.lang))
    };
    let rows: [(Message, Message); 4] = [
        (message!("Mentees with a match"), change(|numbers| numbers.matched_mentees)),
        (message!("Matches"), change(|numbers| numbers.matches)),
        (
            message!("Lowest score"),
            message!("{before} → {after}", before = worst(&before), after = worst(&after)),
        ),
        (
            message!("Total score"),
            message!(
                "{before} → {after}",
                before = percent(before.total_score, global.lang),
                after = percent(after.total_score, global.lang)
            ),
        ),
    ];
    data(&labels(rows, global.lang).to_string())?;
    if effect.moves.is_empty() {
        return Ok(crate::client::output::show(&message!("nobody moves"), global.lang)?);
    }
    let mut table = titled(&[message!("Mentee"), message!("Before"), message!("After")], global.lang);
    for moved in &effect.moves {
        table.add_row([short(&moved.mentee), people(&moved.before), people(&moved.after)]);
    }
    Ok(data(&table.to_string())?)
}

fn alternate_row(alternate: &v1::MatchAlternate, lang: Lang) -> [String; 6] {
    [
        short(&alternate.mentee),
        short(&alternate.mentor),
        percent(alternate.score.into(), lang),
        alternate.lost_mentees.to_string(),
        percent(alternate.lost_score, lang),
        alternate.moves.len().to_string(),
    ]
}

fn percent(points: i64, lang: Lang) -> String {
    wording::score(u32::try_from(points).unwrap_or_default(), lang)
}

fn people(profiles: &[String]) -> String {
    profiles.iter().map(|profile| short(profile)).collect::<Vec<_>>().join(", ")
}
