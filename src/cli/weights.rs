//! `wim-match weights suggest`: what the outcomes of mentorships say about the weights of a policy.

use std::path::PathBuf;

use clap::Subcommand;

use super::failure::Failure;
use super::global::Global;
use super::names::{found, name};
use super::problem::unwritable;
use crate::client::json::to_json;
use crate::client::output::{align_right, data, json, tell, titled};
use crate::client::{Client, criterion, private, v1};
use crate::domain::message::{Message, MessageValue};
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say which criteria went with satisfaction and completion, and what other weights would have done.
    Suggest {
        /// Id of the round whose policy is looked at.
        round: String,
        /// Solve so many of the newest rounds again with the suggested weights.
        #[arg(long, value_name = "NUMBER", default_value_t = 3)]
        replays: i32,
        /// Write the policy with the suggested weights to a file, for `wim-match round create --policy` or a comparison.
        #[arg(long, value_name = "FILE")]
        policy_file: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Result<(), Failure> {
    let Command::Suggest { round, replays, policy_file } = command;
    let mut client = global.client().await?;
    let request = v1::SuggestWeightsRequest { name: name("rounds/", &round), replays };
    let suggested = client.rounds.suggest_weights(request).await;
    let suggested = found(&client, &round, suggested).await?.into_inner();
    let advice = suggested.advice.clone().unwrap_or_default();
    if global.json {
        json(&suggested)?;
    } else {
        show(&advice, &suggested.replays, global.lang)?;
    }
    if let Some(file) = policy_file {
        let policy = policy_with(&mut client, &round, &advice).await?;
        private::write(&file, to_json(&policy)?).map_err(|error| unwritable(&file, &error))?;
        tell(&message!("policy written to {file}", file = file.display().to_string()), global.lang);
    }
    Ok(())
}

/// The policy of the round with the suggested weights.
async fn policy_with(
    client: &mut Client,
    round: &str,
    advice: &v1::WeightAdvice,
) -> Result<v1::Policy, Failure> {
    let name = format!("{}/policies/{}", name("rounds/", round), advice.policy_version);
    let read = client.rounds.get_policy(v1::GetPolicyRequest { name }).await?.into_inner();
    let mut policy = read.policy.unwrap_or_default();
    for one in &advice.criteria {
        for weight in policy.criteria.iter_mut().filter(|weight| weight.criterion == one.criterion) {
            weight.weight = one.suggested_weight;
        }
    }
    Ok(policy)
}

fn show(advice: &v1::WeightAdvice, replays: &[v1::ReplayedRound], lang: Lang) -> Result<(), Failure> {
    let write = |told: &Message| data(&wording::message(told, lang));
    let base = |number: Option<i64>| match number {
        Some(number) => message!("{number|1 mentorship|{number} mentorships}", number = number),
        None => message!("too few to be told"),
    };
    write(&message!(
        "Mentorships with a stated satisfaction: {number}",
        number = base(advice.with_satisfaction)
    ))?;
    write(&message!(
        "Mentorships with an end that says something of the pair: {number}",
        number = base(advice.with_end)
    ))?;
    data("")?;
    data(&criteria(advice, lang))?;
    write(&message!(
        "An effect compares a pair that fulfils the criterion wholly with one that does not fulfil it at all."
    ))?;
    write(&message!("It lies in the range with a probability of 99 %."))?;
    write(&message!("It is a correlation among pairs that were matched, no cause. A person decides."))?;
    if !advice.criteria.iter().any(|one| one.suggested_weight != one.weight) {
        return Ok(write(&message!("The data say nothing for other weights."))?);
    }
    if !replays.is_empty() {
        data("")?;
        write(&message!("Earlier rounds with the suggested weights:"))?;
        for replay in replays {
            write(&replayed(replay))?;
        }
    }
    Ok(())
}

/// A row for each criterion.
fn criteria(advice: &v1::WeightAdvice, lang: Lang) -> String {
    let header = [
        message!("Criterion"),
        message!("Weight"),
        message!("Suggested"),
        message!("Satisfaction, points"),
        message!("Completed, percentage points"),
        message!("What the data say"),
    ];
    let mut rows = titled(&header, lang);
    for one in &advice.criteria {
        rows.add_row([
            wording::criterion_label(criterion(one.criterion), lang).to_owned(),
            one.weight.to_string(),
            one.suggested_weight.to_string(),
            effect(one.satisfaction.as_ref(), 2, lang),
            effect(one.completion.as_ref(), 0, lang),
            wording::message(&verdict(one.verdict()), lang),
        ]);
    }
    align_right(&mut rows, &[1, 2]);
    rows.to_string()
}

/// An effect with its range; empty if it cannot be judged.
fn effect(effect: Option<&v1::OutcomeEffect>, places: u8, lang: Lang) -> String {
    let Some(effect) = effect else { return String::new() };
    let number = |units: i32| MessageValue::Decimal { units: units.into(), places };
    let told = message!(
        "{estimate} ({low} to {high})",
        estimate = number(effect.estimate),
        low = number(effect.low),
        high = number(effect.high)
    );
    wording::message(&told, lang)
}

fn verdict(verdict: v1::WeightVerdict) -> Message {
    match verdict {
        v1::WeightVerdict::More => message!("pairs that fulfil it fare better"),
        v1::WeightVerdict::Less => message!("pairs that fulfil it fare worse"),
        v1::WeightVerdict::Nothing => message!("nothing can be said"),
        v1::WeightVerdict::TooFew | v1::WeightVerdict::Unspecified => {
            message!("too few data, or no differences")
        }
    }
}

fn replayed(replay: &v1::ReplayedRound) -> Message {
    let run = &replay.run;
    match (replay.end(), &replay.own, &replay.suggested) {
        (v1::ReplayEnd::Solved, Some(own), Some(suggested)) => message!(
            "{run}: {kept} of {matches|1 match|{matches} matches} stay; mentees matched: {before} before, {after} with the suggested weights",
            run = run,
            kept = replay.kept_matches,
            matches = own.matches,
            before = own.matched_mentees,
            after = suggested.matched_mentees
        ),
        (v1::ReplayEnd::Unmet, ..) => {
            message!("{run}: no result keeps the quotas or the decisions of the round", run = run)
        }
        _ => message!(
            "{run}: some of its input was erased since, so that it cannot be solved again",
            run = run
        ),
    }
}
