//! `wim-match round review|pin|veto|release|decisions|mark|comment|comments|contest|object`: what reviewers and organisations say
//! of the pairs of a round.

use clap::{Args, Subcommand, ValueEnum};

use super::failure::Failure;
use super::global::Global;
use super::names::{find, long_name, name, short};
use crate::client::output::{data, items, json};
use crate::client::{Client, request_id, time_shown, v1};
use crate::domain::message::Message;
use crate::domain::review::{Attention, CommentKind, DecisionKind};
use crate::domain::vocabulary::Lang;
use crate::{message, wording};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the matches of a run for their review, the lowest score first, with what was said of them.
    Review {
        /// Id of the round.
        round: String,
        /// Number of the run; without it, the newest run.
        #[arg(long)]
        run: Option<i64>,
        /// Only matches that need attention for this reason; repeat it for several.
        #[arg(long)]
        attention: Vec<AttentionArg>,
        /// Only matches with a member of this organisation.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// Only matches with somebody who lives in this region, by its UN M49 code, for example 005.
        #[arg(long, value_name = "CODE")]
        region: Option<String>,
        /// Only matches that nobody has marked as reviewed.
        #[arg(long)]
        unreviewed: bool,
    },
    /// Pin a pair: the two people are matched in every run from now on.
    Pin(Decided),
    /// Veto a pair: the two people are matched in no run from now on.
    Veto(Decided),
    /// Release a decision; it stays on record.
    Release {
        /// Id of the round.
        round: String,
        /// Number of the decision, as `decisions` shows it.
        decision: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List the decisions of a round.
    Decisions {
        /// Id of the round.
        round: String,
        /// Released decisions too.
        #[arg(long)]
        all: bool,
    },
    /// Mark a pair as reviewed, which answers the contests of it.
    Mark(Said),
    /// Comment on a pair.
    Comment(Said),
    /// Ask an expert about a pair: she may then read this pair and comment on it.
    Ask {
        #[command(flatten)]
        pair: PairArgs,
        /// The expert: the id of her principal.
        #[arg(long, value_name = "PRINCIPAL")]
        expert: String,
        /// What she is asked.
        #[arg(long)]
        question: String,
    },
    /// List the asks of a round; an expert lists those that she is to answer.
    Asks {
        /// Id of the round; without it, all rounds, for an expert.
        round: Option<String>,
    },
    /// Withdraw an ask.
    Unask {
        /// Name of the ask, as `asks` shows it.
        ask: String,
    },
    /// List what was said of a match.
    Comments {
        #[command(flatten)]
        pair: PairArgs,
        /// Number of the run; without it, the newest run.
        #[arg(long)]
        run: Option<i64>,
    },
    /// Contest a match of a member: a reviewer has to look at it again.
    Contest(Contested),
    /// Object to the publication of a match of a member.
    Object(Contested),
}

/// A pair of a round.
#[derive(Debug, Args)]
pub(super) struct PairArgs {
    /// Id of the round.
    round: String,
    /// The mentee: id of the organisation, slash, id of the mentee in it.
    mentee: String,
    /// The mentor: id of the organisation, slash, id of the mentor in it.
    mentor: String,
}

/// A decision.
#[derive(Debug, Args)]
pub(super) struct Decided {
    #[command(flatten)]
    pair: PairArgs,
    /// Why; other reviewers read it.
    #[arg(long)]
    reason: String,
    /// Check the decision, and change nothing.
    #[arg(long)]
    check: bool,
}

/// Something that a reviewer says.
#[derive(Debug, Args)]
pub(super) struct Said {
    #[command(flatten)]
    pair: PairArgs,
    /// The words.
    #[arg(long, default_value = "")]
    text: String,
}

/// A contest or an objection.
#[derive(Debug, Args)]
pub(super) struct Contested {
    #[command(flatten)]
    pair: PairArgs,
    /// Id of your organisation, of which one of the two people is a member.
    #[arg(long, value_name = "ID")]
    organisation: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Number of the run; without it, the newest run.
    #[arg(long)]
    run: Option<i64>,
}

/// Why a match needs attention.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum AttentionArg {
    /// Its score is among the lowest tenth.
    Worst,
    /// The pair is pinned.
    Pinned,
    /// The pair was not matched in the previous run.
    Changed,
    /// An organisation contests it.
    Contested,
    /// A reviewer has commented on it.
    Commented,
    /// One of the two people takes no part any more.
    Left,
}

impl AttentionArg {
    fn of_the_contract(self) -> v1::Attention {
        match self {
            Self::Worst => v1::Attention::Worst,
            Self::Pinned => v1::Attention::Pinned,
            Self::Changed => v1::Attention::Changed,
            Self::Contested => v1::Attention::Contested,
            Self::Commented => v1::Attention::Commented,
            Self::Left => v1::Attention::Left,
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) async fn run(command: Command, client: &mut Client, global: &Global) -> Result<(), Failure> {
    match command {
        Command::Review { round, run, attention, organisation, region, unreviewed } => {
            let run = find(client, &round, run).await?;
            let filter = v1::ReviewFilter {
                attention: attention.into_iter().map(|cause| cause.of_the_contract().into()).collect(),
                organisation: organisation.map(|id| name("organisations/", &id)).unwrap_or_default(),
                reviewed: unreviewed.then_some(false),
                region: region.unwrap_or_default(),
                ..v1::ReviewFilter::default()
            };
            let found = client.all_reviewed_matches(&run.name, &filter).await?;
            let row = |reviewed: &v1::ReviewedMatch| reviewed_row(reviewed, global.lang);
            items(&found, &reviewed_header(), row, global.json, global.lang)?;
        }
        Command::Pin(decided) => {
            let (pair, reason) = (decided.pair.named()?, decided.reason);
            let [round, mentee, mentor] = pair;
            let request = v1::PinPairRequest {
                round,
                mentee,
                mentor,
                reason,
                request_id: request_id(),
                validate_only: decided.check,
                ..v1::PinPairRequest::default()
            };
            let made = client.reviews.pin_pair(request).await?.into_inner().decision.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Veto(decided) => {
            let [round, mentee, mentor] = decided.pair.named()?;
            let request = v1::VetoPairRequest {
                round,
                mentee,
                mentor,
                reason: decided.reason,
                request_id: request_id(),
                validate_only: decided.check,
                ..v1::VetoPairRequest::default()
            };
            let made = client.reviews.veto_pair(request).await?.into_inner().decision.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Release { round, decision, reason } => {
            let request = v1::ReleaseDecisionRequest {
                name: format!("{}/decisions/{decision}", name("rounds/", &round)),
                reason,
                request_id: request_id(),
                ..v1::ReleaseDecisionRequest::default()
            };
            let released = client.reviews.release_decision(request).await?.into_inner();
            let released = released.decision.unwrap_or_default();
            if global.json { json(&released)? } else { data(&released.name)? }
        }
        Command::Decisions { round, all } => {
            let found = client.all_decisions(&name("rounds/", &round), all).await?;
            let header = [
                message!("Decision"),
                message!("Kind"),
                message!("Mentee"),
                message!("Mentor"),
                message!("Reason"),
                message!("Author"),
                message!("Total score"),
                message!("People who move"),
            ];
            let row = |one: &v1::Decision| decision_row(one, global.lang);
            items(&found, &header, row, global.json, global.lang)?;
        }
        Command::Mark(said) => {
            let [round, mentee, mentor] = said.pair.named()?;
            // Whoever runs the command has seen the pair as it is now.
            let run = find(client, &said.pair.round, None).await?.name;
            let all = client.all_reviewed_matches(&run, &v1::ReviewFilter::default()).await?;
            let reviews = all.into_iter().filter_map(|reviewed| reviewed.review);
            let review = { reviews }.find(|review| review.mentee == mentee && review.mentor == mentor);
            let request = v1::MarkReviewedRequest {
                round,
                mentee,
                mentor,
                etag: review.map(|review| review.etag).unwrap_or_default(),
                text: said.text,
                request_id: request_id(),
                ..v1::MarkReviewedRequest::default()
            };
            let marked = client.reviews.mark_reviewed(request).await?.into_inner().review.unwrap_or_default();
            if global.json { json(&marked)? } else { data(&marked.name)? }
        }
        Command::Comment(said) => {
            let [round, mentee, mentor] = said.pair.named()?;
            let request = v1::CreateCommentRequest {
                round,
                mentee,
                mentor,
                text: said.text,
                request_id: request_id(),
                ..v1::CreateCommentRequest::default()
            };
            let made = client.reviews.create_comment(request).await?.into_inner().comment.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Ask { pair, expert, question } => {
            let [round, mentee, mentor] = pair.named()?;
            let request = v1::AskExpertRequest {
                round,
                mentee,
                mentor,
                expert: name("principals/", &expert),
                question,
                request_id: request_id(),
                ..v1::AskExpertRequest::default()
            };
            let made = client.reviews.ask_expert(request).await?.into_inner().ask.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Asks { round } => {
            let parent = name("rounds/", round.as_deref().unwrap_or("-"));
            let found = client.all_asks(&parent, global.lang.tag()).await?;
            let header = [
                message!("Name"),
                message!("Mentee"),
                message!("Mentor"),
                message!("Score"),
                message!("Question"),
                message!("Withdrawn"),
            ];
            items(&found, &header, |one| ask_row(one, global.lang), global.json, global.lang)?;
        }
        Command::Unask { ask } => {
            let request =
                v1::WithdrawAskRequest { name: ask, request_id: request_id(), validate_only: false };
            let made = client.reviews.withdraw_ask(request).await?.into_inner().ask.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Comments { pair, run } => comments(client, &pair, run, global).await?,
        Command::Contest(contested) => {
            let name_of = contested.match_name(client).await?;
            let request = v1::ContestMatchRequest {
                name: name_of,
                organisation: name("organisations/", &contested.organisation),
                reason: contested.reason,
                request_id: request_id(),
                ..v1::ContestMatchRequest::default()
            };
            let made = client.reviews.contest_match(request).await?.into_inner().comment.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
        Command::Object(contested) => {
            let name_of = contested.match_name(client).await?;
            let request = v1::ObjectToMatchRequest {
                name: name_of,
                organisation: name("organisations/", &contested.organisation),
                reason: contested.reason,
                request_id: request_id(),
                ..v1::ObjectToMatchRequest::default()
            };
            let made =
                client.reviews.object_to_match(request).await?.into_inner().comment.unwrap_or_default();
            if global.json { json(&made)? } else { data(&made.name)? }
        }
    }
    Ok(())
}

impl PairArgs {
    /// The resource names of the round, the mentee and the mentor.
    fn named(&self) -> Result<[String; 3], Failure> {
        Ok([name("rounds/", &self.round), long_name(&self.mentee)?, long_name(&self.mentor)?])
    }

    /// The resource name of the match of the pair in a run.
    async fn match_in(&self, client: &mut Client, run: Option<i64>) -> Result<String, Failure> {
        let run = find(client, &self.round, run).await?.name;
        let [_, mentee, mentor] = self.named()?;
        let request = v1::ExplainPairRequest { run, mentee, mentor, ..v1::ExplainPairRequest::default() };
        let explained = client.runs.explain_pair(request).await?.into_inner();
        let found = explained.pair.map(|pair| pair.name).filter(|name| !name.is_empty());
        found.ok_or_else(|| {
            Failure::not_found(
                message!(
                    "{mentee} and {mentor} are no match of the run",
                    mentee = &self.mentee,
                    mentor = &self.mentor
                ),
                message!(
                    "`{command}` lists its matches",
                    command = format!("wim-match round show {}", self.round)
                ),
            )
        })
    }
}

impl Contested {
    async fn match_name(&self, client: &mut Client) -> Result<String, Failure> {
        self.pair.match_in(client, self.run).await
    }
}

async fn comments(
    client: &mut Client,
    pair: &PairArgs,
    run: Option<i64>,
    global: &Global,
) -> Result<(), Failure> {
    let found = pair.match_in(client, run).await?;
    let id = found.rsplit('/').next().unwrap_or_default();
    let all = client.all_comments(&format!("{}/pairs/{id}", name("rounds/", &pair.round))).await?;
    let header = [message!("Time"), message!("Kind"), message!("Author"), message!("Text")];
    let row = |one: &v1::Comment| {
        let kind = match one.kind() {
            v1::CommentKind::Mark => CommentKind::Mark,
            v1::CommentKind::Contest => CommentKind::Contest,
            v1::CommentKind::Objection => CommentKind::Objection,
            v1::CommentKind::Ask => CommentKind::Ask,
            v1::CommentKind::Comment | v1::CommentKind::Unspecified => CommentKind::Comment,
        };
        let author = if one.organisation.is_empty() { &one.author } else { &one.organisation };
        let kind = wording::comment_label(kind, global.lang).to_owned();
        [time_shown(one.create_time.as_ref()), kind, author.clone(), one.text.clone()]
    };
    Ok(items(&all, &header, row, global.json, global.lang)?)
}

fn reviewed_header() -> [Message; 6] {
    [
        message!("Score"),
        message!("Mentee"),
        message!("Mentor"),
        message!("Reviewed by"),
        message!("Decision"),
        message!("Attention"),
    ]
}

fn reviewed_row(reviewed: &v1::ReviewedMatch, lang: Lang) -> [String; 6] {
    let found = reviewed.r#match.clone().unwrap_or_default();
    let known = |number: &i32| Attention::ALL.into_iter().find(|cause| *cause as i32 == *number);
    let attention: Vec<&str> = reviewed
        .attention
        .iter()
        .filter_map(known)
        .map(|cause| wording::attention_label(cause, lang))
        .collect();
    let mark = reviewed.review.as_ref().and_then(|review| review.mark.as_ref());
    [
        wording::score(u32::try_from(found.score).unwrap_or_default(), lang),
        short(&found.mentee),
        short(&found.mentor),
        mark.map(|mark| mark.author.clone()).unwrap_or_default(),
        reviewed.decision.as_ref().map(|one| kind_label(one, lang)).unwrap_or_default(),
        wording::list(&attention, lang),
    ]
}

fn ask_row(ask: &v1::Ask, lang: Lang) -> [String; 6] {
    let score = ask.r#match.as_ref().map(|pair| u32::try_from(pair.score).unwrap_or_default());
    [
        ask.name.clone(),
        short(&ask.mentee),
        short(&ask.mentor),
        score.map(|score| wording::score(score, lang)).unwrap_or_default(),
        ask.question.clone(),
        time_shown(ask.withdraw_time.as_ref()),
    ]
}

fn decision_row(decision: &v1::Decision, lang: Lang) -> [String; 8] {
    let released = decision.release.as_ref();
    let cost = released.map_or(decision.cost.as_ref(), |release| release.cost.as_ref());
    let total = |numbers: Option<v1::ResultNumbers>| {
        let points = numbers.unwrap_or_default().total_score;
        wording::score(u32::try_from(points).unwrap_or_default(), lang)
    };
    let change = |cost: &v1::DecisionCost| {
        message!("{before} → {after}", before = total(cost.before), after = total(cost.after))
    };
    [
        decision.name.rsplit('/').next().unwrap_or_default().to_owned(),
        kind_label(decision, lang),
        short(&decision.mentee),
        short(&decision.mentor),
        released.map_or(&decision.reason, |release| &release.reason).clone(),
        released.map_or(&decision.author, |release| &release.author).clone(),
        cost.map(|cost| wording::message(&change(cost), lang)).unwrap_or_default(),
        cost.map(|cost| cost.moved_mentees.to_string()).unwrap_or_default(),
    ]
}

fn kind_label(decision: &v1::Decision, lang: Lang) -> String {
    let kind = match decision.kind() {
        v1::DecisionKind::Veto => DecisionKind::Veto,
        v1::DecisionKind::Pin | v1::DecisionKind::Unspecified => DecisionKind::Pin,
    };
    wording::decision_label(kind, lang).to_owned()
}
