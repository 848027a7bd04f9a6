//! The second act of the demo: the working group reviews the run, asks what a pin would change, pins, runs again, and a second
//! person approves the result before it is published. Then somebody drops out, and the publication is repaired.

use crate::client::output::show;
use crate::client::{self, Channel, Client, progress, request_id, v1};
use crate::domain::grant::Role;
use crate::domain::message::Message;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::vocabulary::Lang;
use crate::message;
use crate::server::Server;
use crate::wording;

/// Matches with the lowest scores that the reviewer looks at.
const LOOKED_AT: i32 = 20;
/// Alternates of the mentee with the lowest score that the reviewer looks at.
const ALTERNATES: i32 = 10;

/// How the demo tells its steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) lang: Lang,
    /// Nothing but JSON is printed.
    pub(super) silent: bool,
}

impl Told {
    pub(super) fn tell(self, line: &Message) -> std::io::Result<()> {
        if self.silent { Ok(()) } else { show(line, self.lang) }
    }
}

/// Two coordinators of the working group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rosa: Client,
    pub(super) amara: Client,
}

impl Group {
    /// Both get their rights from the Secretariat.
    pub(super) async fn new(server: &Server, channel: &Channel) -> anyhow::Result<Self> {
        let token = server.service().issue_token(&Role::Secretariat, "demo").await?;
        let secretariat = Client::new(channel, Some(&token))?;
        let [rosa, amara] = ["rosa", "amara"];
        Ok(Self {
            rosa: person(&secretariat, channel, rosa).await?,
            amara: person(&secretariat, channel, amara).await?,
        })
    }
}

/// Reviews a run of a round up to its publication, and tells every step.
pub(super) async fn review(
    server: &Server,
    channel: &Channel,
    Group { rosa, amara }: &mut Group,
    run: &v1::Run,
    told: Told,
) -> anyhow::Result<()> {
    let (lang, tell) = (told.lang, |line: &Message| told.tell(line));
    let round = run.name.split("/runs/").next().unwrap_or_default().to_owned();

    let request = v1::ListReviewedMatchesRequest {
        parent: run.name.clone(),
        page_size: LOOKED_AT,
        filter: Some(v1::ReviewFilter {
            attention: vec![v1::Attention::Worst.into()],
            ..v1::ReviewFilter::default()
        }),
        ..v1::ListReviewedMatchesRequest::default()
    };
    let page = rosa.reviews.list_reviewed_matches(request).await?.into_inner();
    let mut latest = run.clone();
    for worst in page.matches.into_iter().filter_map(|reviewed| reviewed.r#match) {
        let Some(alternate) = best_alternate(rosa, &run.name, &worst).await? else { continue };
        tell(&message!(
            "Rosa reviews the matches with the lowest scores: {mentee} with {mentor}, {score}.",
            mentee = short(&worst.mentee),
            mentor = short(&worst.mentor),
            score = percent(worst.score.into(), lang)
        ))?;
        let effect = what_if(rosa, &run.name, &alternate).await?;
        let (before, after) = (effect.before.unwrap_or_default(), effect.after.unwrap_or_default());
        tell(&message!(
            "She asks what a pin of {mentee} and {mentor} would change: {moves|nobody moves|1 mentee moves|{moves} mentees move}, total score {before} → {after}.",
            mentee = short(&alternate.mentee),
            mentor = short(&alternate.mentor),
            moves = i64::try_from(effect.moves.len()).unwrap_or(i64::MAX),
            before = percent(before.total_score, lang),
            after = percent(after.total_score, lang)
        ))?;
        pin(rosa, &round, &alternate, lang).await?;
        latest = run_again(rosa, &round, lang).await?;
        let followed = latest.summary.as_ref().and_then(|summary| summary.followed);
        tell(&message!(
            "She pins the pair and starts another run: {kept} pairs stay, {changed|none changes|1 changes|{changed} change}.",
            kept = followed.map_or(0, |followed| followed.kept),
            changed = followed.map_or(0, |followed| followed.changed)
        ))?;
        break;
    }
    let published = submit_and_publish(rosa, amara, &latest).await?;
    tell(&message!("Rosa submits {run}, Amara approves it, and it is published.", run = &published.run))?;

    let request =
        v1::ListMatchesRequest { parent: latest.name, page_size: 1, ..v1::ListMatchesRequest::default() };
    let best = rosa.runs.list_matches(request).await?.into_inner().matches.into_iter().next();
    if let Some(leaver) = best.map(|best| best.mentor) {
        withdraw(server, channel, &round, &leaver).await?;
        let request = v1::StartRunRequest {
            round,
            follows: published.run,
            repair: true,
            request_id: request_id(),
            ..v1::StartRunRequest::default()
        };
        let repair = run_to_the_end(rosa, request, lang).await?;
        submit_and_publish(rosa, amara, &repair).await?;
        let followed = repair.summary.as_ref().and_then(|summary| summary.followed).unwrap_or_default();
        tell(&message!(
            "Then {mentor} drops out. A repair keeps {kept} published pairs and changes {changed|none|1|{changed}}; it is approved and published in its turn.",
            mentor = short(&leaver),
            kept = followed.kept,
            changed = followed.changed
        ))?;
    }
    Ok(())
}

/// One person submits a run, another one approves it, and it is published.
pub(super) async fn submit_and_publish(
    author: &mut Client,
    approver: &mut Client,
    run: &v1::Run,
) -> anyhow::Result<v1::Submission> {
    let request = v1::SubmitRunRequest {
        name: run.name.clone(),
        result_digest: run.result_digest.clone(),
        request_id: request_id(),
        ..v1::SubmitRunRequest::default()
    };
    let submitted = author.reviews.submit_run(request).await?.into_inner().submission.unwrap_or_default();
    let request = v1::ApproveRunRequest {
        name: submitted.name.clone(),
        result_digest: run.result_digest.clone(),
        request_id: request_id(),
        ..v1::ApproveRunRequest::default()
    };
    approver.reviews.approve_run(request).await?;
    let request =
        v1::PublishRunRequest { name: submitted.name, request_id: request_id(), validate_only: false };
    Ok(author.reviews.publish_run(request).await?.into_inner().submission.unwrap_or_default())
}

/// The manager of a person withdraws her from the round.
async fn withdraw(server: &Server, channel: &Channel, round: &str, profile: &str) -> anyhow::Result<()> {
    let organisation = ProfileRef::from_name(profile)?.organisation;
    let token =
        server.service().issue_token(&Role::OrganisationManager(organisation.clone()), "demo").await?;
    let mut manager = Client::new(channel, Some(&token))?;
    let filter = v1::EnrolmentFilter { organisation: organisation.name(), ..v1::EnrolmentFilter::default() };
    let all = manager.all_enrolments(round, &filter).await?;
    let live = all.into_iter().find(|one| one.profile == profile && one.withdraw_time.is_none());
    let request = v1::WithdrawEnrolmentsRequest {
        parent: round.to_owned(),
        organisation: organisation.name(),
        enrolments: live.into_iter().map(|one| one.name).collect(),
        request_id: request_id(),
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    manager.rounds.withdraw_enrolments(request).await?;
    Ok(())
}

/// A coordinator, with a client of hers.
async fn person(secretariat: &Client, channel: &Channel, handle: &str) -> anyhow::Result<Client> {
    let grant = v1::Grant { role: v1::Role::Coordinator.into(), ..v1::Grant::default() };
    let token = introduce(secretariat, handle, grant).await?;
    Ok(Client::new(channel, Some(&token))?)
}

/// The three people of a living round, by whom it is run in the console: a manager and two coordinators. Each with her token.
pub(super) async fn people(
    server: &Server,
    channel: &Channel,
    organisation: &OrganisationId,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let token = server.service().issue_token(&Role::Secretariat, "demo").await?;
    let secretariat = Client::new(channel, Some(&token))?;
    let coordinator = || v1::Grant { role: v1::Role::Coordinator.into(), ..v1::Grant::default() };
    let manager = v1::Grant {
        role: v1::Role::OrganisationManager.into(),
        organisation: organisation.name(),
        ..v1::Grant::default()
    };
    let mut people = Vec::new();
    for (handle, grant) in [("rosa", coordinator()), ("amara", coordinator()), ("maria", manager)] {
        people.push((handle, introduce(&secretariat, handle, grant).await?));
    }
    Ok(people)
}

/// A person with a role, and her token.
async fn introduce(secretariat: &Client, handle: &str, grant: v1::Grant) -> anyhow::Result<String> {
    let mut admin = secretariat.admin.clone();
    let principal = v1::Principal {
        kind: v1::PrincipalKind::Person.into(),
        handle: handle.to_owned(),
        ..v1::Principal::default()
    };
    let request = v1::CreatePrincipalRequest {
        principal: Some(principal),
        request_id: request_id(),
        validate_only: false,
    };
    let created = admin.create_principal(request).await?.into_inner().principal.unwrap_or_default();
    let request = v1::CreateGrantRequest {
        parent: created.name.clone(),
        grant: Some(grant),
        request_id: request_id(),
        ..v1::CreateGrantRequest::default()
    };
    admin.create_grant(request).await?;
    let request = v1::CreateCredentialRequest {
        parent: created.name,
        credential: Some(v1::Credential::default()),
        request_id: request_id(),
        ..v1::CreateCredentialRequest::default()
    };
    Ok(admin.create_credential(request).await?.into_inner().token)
}

/// The other mentor of a mentee with the best score, among those who cost nobody a match.
async fn best_alternate(
    client: &mut Client,
    run: &str,
    worst: &v1::Match,
) -> anyhow::Result<Option<v1::MatchAlternate>> {
    let request = v1::ListAlternatesRequest {
        name: run.to_owned(),
        person: worst.mentee.clone(),
        side: v1::Side::Mentee.into(),
        limit: ALTERNATES,
    };
    let found = client.reviews.list_alternates(request).await?.into_inner().alternates;
    let costs_nobody = found.into_iter().filter(|one| one.lost_mentees == 0);
    // Of several, the first one is the cheapest for the round.
    Ok(costs_nobody.rev().max_by_key(|one| one.score).filter(|one| one.score > worst.score))
}

async fn what_if(
    client: &mut Client,
    run: &str,
    pair: &v1::MatchAlternate,
) -> anyhow::Result<v1::DecisionEffect> {
    let pin = v1::ProposedDecision {
        kind: v1::DecisionKind::Pin.into(),
        mentee: pair.mentee.clone(),
        mentor: pair.mentor.clone(),
    };
    let request = v1::WhatIfDecisionsRequest { name: run.to_owned(), add: vec![pin], release: Vec::new() };
    Ok(client.reviews.what_if_decisions(request).await?.into_inner().effect.unwrap_or_default())
}

async fn pin(client: &mut Client, round: &str, pair: &v1::MatchAlternate, lang: Lang) -> anyhow::Result<()> {
    let request = v1::PinPairRequest {
        round: round.to_owned(),
        mentee: pair.mentee.clone(),
        mentor: pair.mentor.clone(),
        reason: wording::message(&message!("a better score for her, and nobody loses a match"), lang),
        request_id: request_id(),
        ..v1::PinPairRequest::default()
    };
    client.reviews.pin_pair(request).await?;
    Ok(())
}

async fn run_again(client: &mut Client, round: &str, lang: Lang) -> anyhow::Result<v1::Run> {
    let request = v1::StartRunRequest {
        round: round.to_owned(),
        request_id: request_id(),
        ..v1::StartRunRequest::default()
    };
    run_to_the_end(client, request, lang).await
}

async fn run_to_the_end(
    client: &mut Client,
    request: v1::StartRunRequest,
    lang: Lang,
) -> anyhow::Result<v1::Run> {
    let run = client.runs.start_run(request).await?.into_inner().run.unwrap_or_default();
    let run = progress::watch_with_bar(client, &run.name, lang).await?;
    client::success(&run)?;
    Ok(run)
}

fn short(profile: &str) -> String {
    profile.trim_start_matches("organisations/").replacen("/profiles", "", 1)
}

fn percent(points: i64, lang: Lang) -> String {
    wording::score(u32::try_from(points).unwrap_or_default(), lang)
}
