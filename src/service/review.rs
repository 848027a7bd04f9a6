//! Use cases of reviewers and organisations on the pairs of a round: decisions, marks, comments, contests.

use super::page::Cursor;
use super::profile::parse_profile;
use super::round::parse_round;
use super::run::parse_run;
use super::{
    Action, Change, Page, PageRequest, Permit, Service, check_request_id, commit_change, recalled,
    remembered, taken,
};
use crate::domain::caller::Caller;
use crate::domain::field_rule::{self, FieldRule};
use crate::domain::name::{DecisionRef, MatchRef, OrganisationId, PairRef, ProfileRef, RoundId, RunRef};
use crate::domain::policy::Objective;
use crate::domain::record::Record;
use crate::domain::review::{
    Comment, CommentKind, Decision, DecisionKind, DecisionObstacle, Pair, PairReview, ReviewFilter,
    ReviewedMatch,
};
use crate::domain::snapshot::{FrozenDecision, Snapshot};
use crate::domain::violation::Violations;
use crate::engine;
use crate::engine::encode::AnswersUsed;
use crate::error::{Error, Result};
use crate::store::{Begun, NewComment, NewDecision, Scope};

/// A pair as a caller names it.
#[derive(Debug, Clone)]
pub struct PairDraft {
    /// Resource name of the round.
    pub round: String,
    /// Resource name of the mentee's profile.
    pub mentee: String,
    /// Resource name of the mentor's profile.
    pub mentor: String,
}

impl PairDraft {
    pub(super) fn parse(&self, violations: &mut Violations) -> Result<Option<(RoundId, Pair)>> {
        let round = taken(parse_round("round", &self.round), violations)?;
        let mentee = taken(parse_profile("mentee", &self.mentee), violations)?;
        let mentor = taken(parse_profile("mentor", &self.mentor), violations)?;
        let (Some(round), Some(mentee), Some(mentor)) = (round, mentee, mentor) else { return Ok(None) };
        if mentee == mentor {
            violations.push("mentor", &self.mentor, "is the mentee herself", "name another person");
        }
        Ok(Some((round, Pair { mentee, mentor })))
    }
}

/// What stands of a pair.
#[derive(Debug, Clone)]
pub struct PairStanding {
    /// The run.
    pub run: RunRef,
    /// Id of the pair: that of its matches.
    pub pair_id: String,
    /// What was said of it; `None` if nothing was.
    pub review: Option<PairReview>,
    /// The decision on it that is in force.
    pub decision: Option<Decision>,
}

impl Service {
    /// Pins or vetoes a pair, or checks whether it can be. A pair that has the decision keeps it.
    pub async fn decide_on_pair(
        &self,
        caller: &Caller,
        kind: DecisionKind,
        pair: &PairDraft,
        (reason, etag): (&str, &str),
        how: Change<'_>,
    ) -> Result<(RoundId, Decision)> {
        let (action, rule) = match kind {
            DecisionKind::Pin => (Action::PinPair, field_rule::PIN_PAIR_REQUEST_REASON),
            DecisionKind::Veto => (Action::VetoPair, field_rule::VETO_PAIR_REQUEST_REASON),
        };
        let permit = action.permit(caller)?;
        let mut violations = Violations::of_request();
        let named = pair.parse(&mut violations)?;
        let reason = rule.text("reason", reason, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some((round, pair)), true) = (named, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let payload = (&round, &pair, &reason, etag);
        let receipt = self.receipt(&permit, how.request_id, &payload)?;
        if !how.validate_only
            && let Some(first) = self.first_answer(&receipt).await?
        {
            return Ok((round, recalled(&first)?));
        }
        // What is refused anyway costs no question.
        let (places, present) = self.places_for(&permit, &round, kind, &pair).await?;
        let bounds = present.as_ref();
        let wanted = NewDecision { kind, pair: &pair, reason: &reason, places, cost: None, bounds };
        let made = self.record(&permit);
        self.store.check_decision(&permit.scope, &round, &wanted, etag, made).await?;
        let asked = FrozenDecision {
            mentee: pair.mentee.clone(),
            mentor: pair.mentor.clone(),
            kind,
            name: String::new(),
        };
        let cost = Box::pin(self.cost_of((caller, &permit), &round, (Some(asked), None))).await?;
        if how.validate_only {
            let wanted = NewDecision { cost, ..wanted };
            let made = self.record(&permit);
            let checked = self.store.check_decision(&permit.scope, &round, &wanted, etag, made).await?;
            return Ok((round, checked));
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => Ok((round, recalled(&first)?)),
            Begun::Fresh(mut session) => {
                let (places, present) = self.places_for(&permit, &round, kind, &pair).await?;
                let bounds = present.as_ref();
                let wanted = NewDecision { kind, pair: &pair, reason: &reason, places, cost, bounds };
                let (decision, note) = session.decide(&round, &wanted, etag).await?;
                commit_change(session, note, &remembered(&decision)?).await?;
                Ok((round, decision))
            }
        }
    }

    /// Releases a decision, or checks whether it can be released.
    pub async fn release_decision(
        &self,
        caller: &Caller,
        name: &str,
        reason: &str,
        how: Change<'_>,
    ) -> Result<(RoundId, Decision)> {
        let permit = Action::ReleaseDecision.permit(caller)?;
        let mut violations = Violations::of_request();
        let parsed = DecisionRef::from_name(name);
        let name = parsed.map_err(|error| violations.push("name", name, error.to_string(), "")).ok();
        let reason = field_rule::RELEASE_DECISION_REQUEST_REASON.text("reason", reason, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(name), true) = (name, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        let receipt = self.receipt(&permit, how.request_id, &(name.name(), &reason))?;
        if !how.validate_only
            && let Some(first) = self.first_answer(&receipt).await?
        {
            return Ok((name.round, recalled(&first)?));
        }
        // What is refused anyway costs no question.
        let released = self.record(&permit);
        let checked = self.store.check_release(&permit.scope, &name, (&reason, None), released).await?;
        let cost =
            Box::pin(self.cost_of((caller, &permit), &name.round, (None, Some(&checked.pair)))).await?;
        if how.validate_only {
            let released = self.record(&permit);
            let checked = self.store.check_release(&permit.scope, &name, (&reason, cost), released).await?;
            return Ok((name.round, checked));
        }
        match self.store.begin(self.receipt(&permit, how.request_id, &(name.name(), &reason))?).await? {
            Begun::Repeated(first) => Ok((name.round, recalled(&first)?)),
            Begun::Fresh(mut session) => {
                let (decision, note) = session.release_decision(&name, (&reason, cost)).await?;
                session.commit(note, &remembered(&decision)?).await?;
                Ok((name.round, decision))
            }
        }
    }

    /// A page of a round's decisions, in the order in which they were made.
    pub async fn list_decisions(
        &self,
        caller: &Caller,
        parent: &str,
        released: bool,
        request: &PageRequest,
    ) -> Result<(RoundId, Page<Decision>)> {
        let permit = Action::ListDecisions.permit(caller)?;
        let round = parse_round("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/decisions {released}"), request)?;
        let after = cursor.after.as_deref().and_then(|number| number.parse().ok()).unwrap_or_default();
        let found =
            self.store.list_decisions(&permit.scope, &round, (after, released), cursor.limit()).await?;
        Ok((round, cursor.page(found, |decision| decision.number.to_string())))
    }

    /// A page of a run's matches with what was said of them, the lowest score first.
    pub async fn list_reviewed_matches(
        &self,
        caller: &Caller,
        parent: &str,
        filter: &ReviewFilter,
        request: &PageRequest,
    ) -> Result<(RoundId, Page<ReviewedMatch>)> {
        let permit = Action::ListReviewedMatches.permit(caller)?;
        let run = parse_run("parent", parent)?;
        let cursor = Cursor::new(&permit, &format!("{parent}/reviewed {filter:?}"), request)?;
        let after = cursor.after.as_deref().map(str::parse).transpose();
        let after = after.map_err(|_| Error::InvalidPageToken)?;
        let (found, rest) =
            self.store.reviewed_matches(&permit.scope, &run, filter, after, cursor.limit()).await?;
        let rest = rest.map(|ordinal| ordinal.to_string());
        let page = cursor.page_read_to(found, rest.as_deref(), |reviewed| reviewed.ordinal.to_string());
        Ok((run.round, page))
    }

    /// What stands of a pair of a run: what was said of it, and the decision in force.
    pub async fn pair_standing(
        &self,
        caller: &Caller,
        run: &str,
        mentee: &str,
        mentor: &str,
    ) -> Result<PairStanding> {
        let permit = Action::ListReviewedMatches.permit(caller)?;
        let run = parse_run("name", run)?;
        let pair =
            Pair { mentee: parse_profile("mentee", mentee)?, mentor: parse_profile("mentor", mentor)? };
        // A round that does not exist for the caller has no salt for her.
        self.store.round(&permit.scope, &run.round).await?;
        let salt = self.store.round_salt(&Scope::System, &run.round).await?;
        let name = PairRef { round: run.round.clone(), id: salt.match_id(&pair.mentee, &pair.mentor) };
        let review = match self.store.pair_review(&permit.scope, &name).await {
            Err(Error::NotFound(_)) => None,
            review => Some(review?),
        };
        let decision = self.store.live_decision(&permit.scope, &name).await?;
        Ok(PairStanding { run, pair_id: name.id, review, decision })
    }

    /// Marks a pair as reviewed, or checks whether it can be marked.
    pub async fn mark_reviewed(
        &self,
        caller: &Caller,
        pair: &PairDraft,
        (text, etag): (&str, &str),
        how: Change<'_>,
    ) -> Result<(RoundId, PairReview)> {
        let permit = Action::MarkReviewed.permit(caller)?;
        let rule = field_rule::MARK_REVIEWED_REQUEST_TEXT;
        let words = Words { kind: CommentKind::Mark, field: "text", text, rule };
        let (round, said) = words.of_pair(pair, how)?;
        let (review, _) = self.say(&permit, &round, &said, etag, how).await?;
        Ok((round, review))
    }

    /// Comments on a pair, or checks whether that can be done.
    pub async fn create_comment(
        &self,
        caller: &Caller,
        pair: &PairDraft,
        text: &str,
        how: Change<'_>,
    ) -> Result<(RoundId, Comment)> {
        let permit = Action::CreateComment.permit(caller)?;
        let rule = field_rule::CREATE_COMMENT_REQUEST_TEXT;
        let words = Words { kind: CommentKind::Comment, field: "text", text, rule };
        let (round, said) = words.of_pair(pair, how)?;
        let permit = self.permit_to_comment(caller, permit, &round, &said.pair).await?;
        let (_, comment) = self.say(&permit, &round, &said, "", how).await?;
        Ok((round, comment))
    }

    /// A page of what was said of a pair, the oldest first.
    pub async fn list_comments(
        &self,
        caller: &Caller,
        parent: &str,
        request: &PageRequest,
    ) -> Result<(RoundId, Page<Comment>)> {
        let permit = Action::ListComments.permit(caller)?;
        let parsed = PairRef::from_name(parent);
        let name = parsed.map_err(|error| Error::invalid_field("parent", parent, error.to_string()))?;
        let cursor = Cursor::new(&permit, &format!("{parent}/comments"), request)?;
        let after = cursor.after.as_deref();
        let found = self.store.list_comments(&permit.scope, &name, after, cursor.limit()).await?;
        Ok((name.round, cursor.page(found, |comment| comment.id.clone())))
    }

    /// Contests a match of a member, or objects to its publication; or checks whether that can be done.
    pub async fn contest_or_object(
        &self,
        caller: &Caller,
        is_objection: bool,
        (name, organisation): (&str, &str),
        reason: &str,
        how: Change<'_>,
    ) -> Result<(RoundId, Comment)> {
        let (action, kind, rule) = if is_objection {
            let rule = field_rule::OBJECT_TO_MATCH_REQUEST_REASON;
            (Action::ObjectToMatch, CommentKind::Objection, rule)
        } else {
            let rule = field_rule::CONTEST_MATCH_REQUEST_REASON;
            (Action::ContestMatch, CommentKind::Contest, rule)
        };
        let permit = action.permit(caller)?;
        let words = Words { kind, field: "reason", text: reason, rule };
        self.say_as_organisation(&permit, (name, organisation), words, how).await
    }

    async fn say_as_organisation(
        &self,
        permit: &Permit,
        (name, organisation): (&str, &str),
        words: Words<'_>,
        how: Change<'_>,
    ) -> Result<(RoundId, Comment)> {
        let mut violations = Violations::of_request();
        let parsed = MatchRef::from_name(name);
        let named = parsed.map_err(|error| violations.push("name", name, error.to_string(), "")).ok();
        let parsed = OrganisationId::from_name(organisation);
        let wrong = |error: crate::domain::name::InvalidName| error.to_string();
        let organisation =
            parsed.map_err(|error| violations.push("organisation", organisation, wrong(error), "")).ok();
        let text = words.rule.text(words.field, words.text, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some(name), Some(organisation), true) = (named, organisation, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        // A match of which the caller manages nobody does not exist for her.
        let found = self.store.match_named(&permit.scope, &name).await?.pair;
        let is_hers = [&found.mentee, &found.mentor].iter().any(|one| one.organisation == organisation);
        if !is_hers || !permit.scope.covers(&organisation) {
            return Err(Error::NotFound(name.name()));
        }
        let run = (words.kind == CommentKind::Objection).then_some(name.run.number);
        let round = name.run.round.clone();
        let pair = Pair { mentee: found.mentee, mentor: found.mentor };
        let said = Said { run, pair, kind: words.kind, organisation: Some(organisation), text };
        let (_, comment) = self.say(permit, &round, &said, "", how).await?;
        Ok((round, comment))
    }

    async fn say(
        &self,
        permit: &Permit,
        round: &RoundId,
        said: &Said,
        etag: &str,
        how: Change<'_>,
    ) -> Result<(PairReview, Comment)> {
        let Said { run, pair, kind, organisation, text } = said;
        // A caller for whom the round does not exist learns so before anything is read in the name of the service.
        self.store.round(&permit.scope, round).await?;
        let salt = &self.store.round_salt(&Scope::System, round).await?;
        let wanted = NewComment { run: *run, salt, kind: *kind, organisation: organisation.as_ref(), text };
        if how.validate_only {
            let named = (round, pair);
            return self.store.check_comment(&permit.scope, named, &wanted, etag, self.record(permit)).await;
        }
        let payload = (round, run, pair, kind, organisation, text, etag);
        match self.store.begin(self.receipt(permit, how.request_id, &payload)?).await? {
            Begun::Repeated(first) => recalled(&first),
            Begun::Fresh(mut session) => {
                let (review, comment, note) = session.say(round, pair, &wanted, etag).await?;
                let answer = (review, comment);
                session.commit(note, &remembered(&answer)?).await?;
                Ok(answer)
            }
        }
    }

    /// The permit of a caller who comments on a pair: an expert needs an ask. For her, every other pair does not exist.
    async fn permit_to_comment(
        &self,
        caller: &Caller,
        permit: Permit,
        round: &RoundId,
        pair: &Pair,
    ) -> Result<Permit> {
        if is_reviewer(caller) {
            return Ok(permit);
        }
        if self.store.is_asked(&Scope::System, &permit.principal, round, pair).await? {
            return Ok(permit.of_an_asked_expert());
        }
        Err(Error::NotFound(pair.mentee.name()))
    }

    /// The caller, now.
    pub(super) fn record(&self, permit: &Permit) -> Record {
        Record { recorder: permit.principal.clone(), time: self.clock.now() }
    }

    /// The places of the two people, after everything but other decisions was checked of a pin; and the round as it is, for a
    /// pin.
    async fn places_for(
        &self,
        permit: &Permit,
        round: &RoundId,
        kind: DecisionKind,
        pair: &Pair,
    ) -> Result<((u32, u32), Option<Snapshot>)> {
        // A caller for whom the round does not exist learns so before anything is read in the name of the service.
        self.store.round(&permit.scope, round).await?;
        let mut snapshot = self.store.present_snapshot(&Scope::System, round, self.clock.now()).await?;
        // Other decisions are looked at where this one is written.
        snapshot.decisions.clear();
        match obstacles(&snapshot, kind, pair) {
            Ok(places) => Ok((places, (kind == DecisionKind::Pin).then_some(snapshot))),
            Err(obstacles) => Err(Error::DecisionRefused { pair: Box::new(pair.clone()), obstacles }),
        }
    }
}

/// Whether the caller reviews runs, and is not an expert alone.
pub(super) fn is_reviewer(caller: &Caller) -> bool {
    Action::AskExpert.permit(caller).is_ok()
}

/// Words that a caller sends, and their rule.
#[derive(Clone, Copy)]
struct Words<'a> {
    kind: CommentKind,
    field: &'static str,
    text: &'a str,
    rule: FieldRule,
}

impl Words<'_> {
    /// What a reviewer or an expert says of a pair.
    fn of_pair(self, pair: &PairDraft, how: Change<'_>) -> Result<(RoundId, Said)> {
        let mut violations = Violations::of_request();
        let named = pair.parse(&mut violations)?;
        let text = self.rule.text(self.field, self.text, &mut violations);
        check_request_id(how.request_id, &mut violations);
        let (Some((round, pair)), true) = (named, violations.is_empty()) else {
            return Err(Error::InvalidFields(violations));
        };
        Ok((round, Said { run: None, pair, kind: self.kind, organisation: None, text }))
    }
}

/// The same, parsed.
struct Said {
    run: Option<i64>,
    pair: Pair,
    kind: CommentKind,
    organisation: Option<OrganisationId>,
    text: String,
}

/// The places of the two people of a pair, or what stands in the way of a decision in the round as it is. One function of
/// the engine decides on hard rules; a rule on private answers is not named.
fn obstacles(
    snapshot: &Snapshot,
    kind: DecisionKind,
    pair: &Pair,
) -> Result<(u32, u32), Vec<DecisionObstacle>> {
    let content = |name: &ProfileRef| snapshot.participants.iter().find(|person| person.profile == *name);
    let request = content(&pair.mentee).and_then(|person| person.content.open_request());
    let offer = content(&pair.mentor).and_then(|person| person.content.mentor_offer);
    let mut found = Vec::new();
    found.extend(request.is_none().then_some(DecisionObstacle::NoMentee));
    found.extend(offer.is_none().then_some(DecisionObstacle::NoMentor));
    let (Some(request), Some(offer)) = (request, offer) else { return Err(found) };
    let places = (u32::from(request.wanted().clamp(1, 2)), u32::from(offer.max_mentees));
    if kind == DecisionKind::Veto {
        return Ok(places);
    }
    if snapshot.policy.objective == Objective::Stable {
        found.push(DecisionObstacle::Objective);
    }
    let broken = |answers| {
        let explained = engine::explain_pair(snapshot, None, answers, &pair.mentee, &pair.mentor);
        explained.map(|explained| explained.broken_rules)
    };
    match (broken(AnswersUsed::Open), broken(AnswersUsed::All)) {
        (Some(open), _) if !open.is_empty() => {
            found.extend(open.into_iter().map(|(rule, _)| DecisionObstacle::Rule(rule)));
        }
        (Some(_), Some(all)) if all.is_empty() => {}
        _ => found.push(DecisionObstacle::Private),
    }
    if found.is_empty() { Ok(places) } else { Err(found) }
}
