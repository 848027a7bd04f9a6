//! `wim-match round verify|replay|compare`: results that are checked again, and side by side.

use super::failure::Failure;
use super::global::Global;
use crate::client::output::{align_right, data, json, tell, titled};
use crate::client::{Client, v1};
use crate::domain::comparison::DifferenceCause;
use crate::domain::message::Message;
use crate::domain::vocabulary::{Lang, Region};
use crate::message;
use crate::wording;

/// Hint for a run that is not what it was.
const REPORT_IT: &str = "keep the database as it is, and report the run to operations";

/// Checks the stored proof of a run.
pub(super) async fn verify(client: &mut Client, name: String, global: &Global) -> Result<(), Failure> {
    let request = v1::VerifyRunRequest { name: name.clone() };
    let verified = client.runs.verify_run(request).await?.into_inner();
    if global.json {
        json(&verified)?;
    }
    if !(verified.input_unchanged && verified.result_unchanged) {
        return Err(Failure::input(
            message!("the snapshot or the result of {run} is not the one that was saved", run = name),
            REPORT_IT,
        ));
    }
    let told = if verified.proved {
        message!("{run}: proved; snapshot and result are unchanged", run = name)
    } else if verified.input_erased {
        message!(
            "{run}: a person who took part was erased, so that the proof cannot be checked; the digests are unchanged",
            run = name
        )
    } else if verified.bounded {
        message!(
            "{run}: the best result found; at most {gap|1 mentee|{gap} mentees} more could be matched; snapshot and result are unchanged",
            run = name,
            gap = verified.gap.unwrap_or_default()
        )
    } else {
        return Err(Failure::input(
            message!("the stored proof of {run} does not hold", run = name),
            REPORT_IT,
        ));
    };
    tell(&told, global.lang);
    Ok(())
}

/// Solves a run again.
pub(super) async fn replay(client: &mut Client, name: String, global: &Global) -> Result<(), Failure> {
    let request = v1::ReplayRunRequest { name: name.clone() };
    let replayed = client.runs.replay_run(request).await?.into_inner();
    if global.json {
        json(&replayed)?;
    }
    if !replayed.same {
        return Err(Failure::input(
            message!("{run} gives another result than the one that was saved", run = name),
            REPORT_IT,
        ));
    }
    let told = message!(
        "{run}: the same result, byte for byte, by version {version} of the engine",
        run = name,
        version = &replayed.engine_version
    );
    tell(&told, global.lang);
    Ok(())
}

/// Compares runs of a round.
pub(super) async fn compare(
    client: &mut Client,
    round: &str,
    runs: &[i64],
    most: i32,
    global: &Global,
) -> Result<(), Failure> {
    let request = v1::CompareRunsRequest {
        parent: round.to_owned(),
        runs: runs.iter().map(|number| format!("{round}/runs/{number}")).collect(),
        page_size: most,
        page_token: String::new(),
    };
    let compared = client.runs.compare_runs(request).await?.into_inner();
    if global.json {
        return Ok(json(&compared)?);
    }
    data(&numbers(&compared.runs, global.lang))?;
    data("")?;
    data(&equity(&compared.runs, global.lang))?;
    for run in compared.runs.iter().filter(|run| !run.policy_differences.is_empty()) {
        let told = message!(
            "{run} has another policy: {parts}",
            run = name_of(run),
            parts = run.policy_differences.join(", ")
        );
        data(&wording::message(&told, global.lang))?;
    }
    if !compared.differences.is_empty() {
        data("")?;
        data(&pairs(&compared.differences, global.lang))?;
    }
    if !compared.next_page_token.is_empty() {
        tell(&message!("more pairs differ; `{option}` shows more", option = "--most"), global.lang);
    }
    Ok(())
}

fn name_of(run: &v1::ComparedRun) -> String {
    run.run.as_ref().map(|run| run.name.clone()).unwrap_or_default()
}

fn count(number: i64, lang: Lang) -> String {
    wording::count(u64::try_from(number).unwrap_or_default(), lang)
}

/// A row for each run.
fn numbers(runs: &[v1::ComparedRun], lang: Lang) -> String {
    let header = [
        message!("Run"),
        message!("Objective"),
        message!("Mentees matched"),
        message!("Lowest score"),
        message!("Median score"),
        message!("Total score"),
        message!("Pairs gone"),
        message!("New pairs"),
    ];
    let mut rows = titled(&header, lang);
    for one in runs {
        let summary = one.run.as_ref().and_then(|run| run.summary.clone()).unwrap_or_default();
        let shown = |points: i32| wording::score(u32::try_from(points).unwrap_or_default(), lang);
        let scores = summary.scores.unwrap_or_default();
        let objective = summary.objective().as_str_name().trim_start_matches("OBJECTIVE_").to_owned();
        rows.add_row([
            name_of(one),
            objective,
            format!("{} / {}", count(summary.matched_mentees, lang), count(summary.mentees, lang)),
            shown(scores.worst),
            shown(scores.median),
            shown(i32::try_from(summary.total_score).unwrap_or(i32::MAX)),
            count(one.pairs_gone, lang),
            count(one.pairs_new, lang),
        ]);
    }
    align_right(&mut rows, &[2, 3, 4, 5, 6, 7]);
    rows.to_string()
}

/// Matched mentees of each region, organisation and language, a column for each run.
fn equity(runs: &[v1::ComparedRun], lang: Lang) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (at, one) in runs.iter().enumerate() {
        let whole = one.run.as_ref().and_then(|run| run.summary.as_ref()?.whole_round.clone());
        let whole = whole.unwrap_or_default();
        let region = |code: &str| {
            Region::from_code(code).map_or_else(|| code.to_owned(), |known| known.label(lang).to_owned())
        };
        let regions = whole.regions.iter().map(|one| (region(&one.group), one.matched_mentees, one.mentees));
        let own = whole.organisations.iter().map(|one| (one.group.clone(), one.matched_mentees, one.mentees));
        let spoken = one.languages.iter().map(|one| (one.language.clone(), one.matched_mentees, one.mentees));
        for (group, matched, all) in regions.chain(own).chain(spoken) {
            let place = groups.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
                groups.push((group, vec![String::new(); runs.len()]));
                groups.len() - 1
            });
            groups[place].1[at] = format!("{} / {}", count(matched, lang), count(all, lang));
        }
    }
    let header: Vec<Message> = std::iter::once(message!("Mentees matched"))
        .chain(runs.iter().map(|run| Message::verbatim(name_of(run))))
        .collect();
    let mut rows = titled(&header, lang);
    for (group, cells) in groups {
        rows.add_row(std::iter::once(group).chain(cells));
    }
    align_right(&mut rows, &(1..=runs.len()).collect::<Vec<_>>());
    rows.to_string()
}

/// A row for each pair that differs.
fn pairs(differences: &[v1::PairDifference], lang: Lang) -> String {
    let header = [
        message!("Run"),
        message!("Mentee"),
        message!("Mentor"),
        message!("Change"),
        message!("Score"),
        message!("Why"),
    ];
    let mut rows = titled(&header, lang);
    for one in differences {
        let change = if one.is_new { message!("new") } else { message!("gone") };
        let cause = DifferenceCause::ALL.into_iter().find(|cause| *cause as i32 == one.cause);
        let words = |told: &Message| wording::message(told, lang);
        rows.add_row([
            one.run.clone(),
            one.mentee.clone(),
            one.mentor.clone(),
            words(&change),
            wording::score(u32::try_from(one.score).unwrap_or_default(), lang),
            cause.map(|cause| words(&why(cause))).unwrap_or_default(),
        ]);
    }
    rows.to_string()
}

fn why(cause: DifferenceCause) -> Message {
    match cause {
        DifferenceCause::Erased => message!("a person was erased since"),
        DifferenceCause::Enrolment => message!("a person takes part in one of the runs only"),
        DifferenceCause::Policy => message!("another policy"),
        DifferenceCause::Pinned => message!("the pair is pinned in one of the runs only"),
        DifferenceCause::Vetoed => message!("the pair has a veto in one of the runs only"),
        DifferenceCause::Answers => message!("answers, consents or rules have changed"),
        DifferenceCause::OtherPairs => message!("other people, or what is confidential"),
    }
}
