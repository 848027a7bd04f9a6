//! What reviewers and organisations have said of pairs of a round.

use serde_json::json;

use super::backend::Store;
use super::dialect::{self, Row, values};
use super::invited::exists_for;
use super::journal::Note;
use super::read::ReadSession;
use super::scope::{Owner, Scope};
use super::session::WriteSession;
use super::statement::statements;
use super::{result, round};
use crate::domain::name::{CommentRef, OrganisationId, PairRef, ProfileRef, RoundId, RunRef};
use crate::domain::record::Record;
use crate::domain::review::{Comment, CommentKind, Pair, PairReview};
use crate::domain::salt::RoundSalt;
use crate::domain::version::is_meant;
use crate::error::{Error, Result};

/// Columns of a review.
macro_rules! review_columns {
    () => {
        "SELECT pair_id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, version, mark_actor, \
         mark_micros, contests, comments, update_micros FROM pair_review"
    };
}

statements! {
    query GET = filtered("pair_review.get",
        concat!(review_columns!(), " WHERE round_id = $1 AND pair_id = $2 \
            AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || mentee_organisation_id || ',%' \
            OR $3 LIKE '%,' || mentor_organisation_id || ',%')"));
    // A list of any length is one value. The databases spell its reading differently.
    query NAMED = hidden("pair_review.named",
        sqlite: concat!(review_columns!(), " WHERE round_id = $1 AND pair_id IN (SELECT value FROM json_each($2))"),
        postgres: concat!(review_columns!(), " WHERE round_id = $1 AND pair_id IN \
            (SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON)))"));
    query ENROLLED = filtered("pair_review.enrolled",
        "SELECT COUNT(*) AS enrolled FROM enrolment WHERE round_id = $1 AND organisation_id = $2 AND own_id = $3 \
         AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')");
    change SAVE = ("pair_review.save",
        "INSERT INTO pair_review (round_id, pair_id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, \
         mentor_own_id, version, mark_actor, mark_micros, contests, comments, update_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (round_id, pair_id) DO UPDATE SET \
         version = excluded.version, mark_actor = excluded.mark_actor, mark_micros = excluded.mark_micros, \
         contests = excluded.contests, comments = excluded.comments, update_micros = excluded.update_micros");
    change CREATE_COMMENT = ("pair_comment.create",
        "INSERT INTO pair_comment (round_id, pair_id, number, id, kind, organisation_id, actor, body, create_micros) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    query PROPOSED = filtered("submission.proposed",
        concat!("SELECT COUNT(*) AS proposed FROM submission WHERE round_id = $1 AND run_number = $2 \
            AND state IN ('submitted', 'approved') AND ", exists_for!("submission.round_id", "$3")));
    // An organisation that goes on reading names one of its own comments.
    query NUMBER = filtered("pair_comment.number",
        "SELECT number FROM pair_comment WHERE round_id = $1 AND pair_id = $2 AND id = $3 \
         AND (CAST($4 AS TEXT) IS NULL OR $4 LIKE '%,' || organisation_id || ',%')");
    query COMMENTS = filtered("pair_comment.list",
        "SELECT number, id, pair_id, kind, organisation_id, actor, body, create_micros FROM pair_comment \
         WHERE round_id = $1 AND pair_id = $2 AND number > $3 \
         AND (CAST($5 AS TEXT) IS NULL OR $5 LIKE '%,' || organisation_id || ',%') ORDER BY number LIMIT $4");
}

/// What moves the version of a review on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// A decision on the pair.
    Decision,
    /// A comment of some kind.
    Comment(CommentKind),
}

/// Something that a caller wants to say of a pair.
#[derive(Debug, Clone)]
pub struct NewComment<'a> {
    /// Number of the run whose match is objected to.
    pub run: Option<i64>,
    /// The salt of the round, which exists in the scope of no organisation.
    pub salt: &'a RoundSalt,
    /// What it is.
    pub kind: CommentKind,
    /// The organisation that contests or objects.
    pub organisation: Option<&'a OrganisationId>,
    /// The words.
    pub text: &'a str,
}

impl Store {
    /// The review of a pair, if something was said of it and the scope covers one of its people.
    pub async fn pair_review(&self, scope: &Scope, name: &PairRef) -> Result<PairReview> {
        let mut session = self.reader(scope).await?;
        let found = of(&mut session, &name.round, &name.id).await;
        session.end().await?;
        found?.ok_or_else(|| Error::NotFound(name.name()))
    }

    /// The salt of a round, which keys the ids of pairs and comments.
    ///
    /// Fails with `NotFound` if there is no such round.
    pub async fn round_salt(&self, scope: &Scope, round: &RoundId) -> Result<RoundSalt> {
        scope.require_system()?;
        let mut session = self.reader(scope).await?;
        round::require(&mut session, round).await?;
        let salt = result::salt(&mut session, round).await;
        session.end().await?;
        salt
    }

    /// Comments on a pair after the one with id `after`, the oldest first, at most `limit`; in the scope of an organisation, its own.
    ///
    /// Fails with `NotFound` if nothing was said of such a pair, or with `InvalidPageToken` if the comment is gone. Its number would
    /// tell an organisation how much others have said.
    pub async fn list_comments(
        &self,
        scope: &Scope,
        name: &PairRef,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Comment>> {
        let mut session = self.snapshot_reader(scope).await?;
        of(&mut session, &name.round, &name.id).await?.ok_or_else(|| Error::NotFound(name.name()))?;
        let number = match after {
            Some(after) => {
                let row = session.row(NUMBER, values![&name.round, name.id.as_str(), after]).await?;
                row.ok_or(Error::InvalidPageToken)?.int("number")?
            }
            None => 0,
        };
        let rows = session.rows(COMMENTS, values![&name.round, name.id.as_str(), number, limit]).await?;
        session.end().await?;
        rows.iter().map(|row| read_comment(name, row)).collect()
    }

    /// The review and the comment that [`WriteSession::say`] would return, or its error. Nothing is written.
    pub async fn check_comment(
        &self,
        scope: &Scope,
        (round, pair): (&RoundId, &Pair),
        wanted: &NewComment<'_>,
        etag: &str,
        said: Record,
    ) -> Result<(PairReview, Comment)> {
        let mut session = self.snapshot_reader(scope).await?;
        round::require(&mut session, round).await?;
        let checked = said_now(&mut session, (round, pair), wanted, etag, said).await;
        session.end().await?;
        checked
    }
}

impl WriteSession {
    /// Stores what somebody says of a pair.
    ///
    /// Fails with `NotFound` if there is no such round or the people have no part in it, or with `EtagMismatch`.
    pub async fn say(
        &mut self,
        round: &RoundId,
        pair: &Pair,
        wanted: &NewComment<'_>,
        etag: &str,
    ) -> Result<(PairReview, Comment, Note)> {
        self.lock_round(round).await?;
        let said = Record { recorder: self.actor().to_owned(), time: self.now() };
        let (review, comment) = said_now(self.reads(), (round, pair), wanted, etag, said).await?;
        let owner = Owner::from(wanted.organisation);
        self.save_review(owner, round, &review).await?;
        let values = values![
            round,
            comment.pair_id.as_str(),
            comment.number,
            comment.id.as_str(),
            comment.kind.as_str(),
            comment.organisation.as_ref().map(OrganisationId::as_str),
            comment.said.recorder.as_str(),
            comment.text.as_str(),
            comment.said.time,
        ];
        self.change_exactly(1, owner, CREATE_COMMENT, values).await?;
        let name = PairRef { round: round.clone(), id: comment.pair_id.clone() };
        let action = match comment.kind {
            CommentKind::Comment => "pair.comment",
            CommentKind::Mark => "pair.review",
            CommentKind::Contest => "pair.contest",
            CommentKind::Objection => "pair.object",
            CommentKind::Ask => "pair.ask",
        };
        let note = Note::new(owner, action, name.name(), &json!({ "comment": comment.id }));
        // An organisation reads its own entries, and not how much others have said of the pair.
        let note = if wanted.organisation.is_none() { note.of_version(review.version) } else { note };
        Ok((review, comment, note))
    }

    /// Moves the version of a pair's review on.
    pub(super) async fn touch_pair(
        &mut self,
        owner: Owner<'_>,
        round: &RoundId,
        pair: &Pair,
        said: Said,
    ) -> Result<()> {
        let who = Record { recorder: self.actor().to_owned(), time: self.now() };
        let pair_id = result::salt(self.reads(), round).await?.match_id(&pair.mentee, &pair.mentor);
        let before = of(self.reads(), round, &pair_id).await?;
        let review = after(before, (&pair_id, pair), said, &who);
        self.save_review(owner, round, &review).await
    }

    async fn save_review(&mut self, owner: Owner<'_>, round: &RoundId, review: &PairReview) -> Result<()> {
        let Pair { mentee, mentor } = &review.pair;
        let values = values![
            round,
            review.pair_id.as_str(),
            &mentee.organisation,
            &mentee.id,
            &mentor.organisation,
            &mentor.id,
            review.version,
            review.mark.as_ref().map(|mark| mark.recorder.as_str()),
            review.mark.as_ref().map(|mark| mark.time.as_microsecond()),
            review.contests,
            review.comments,
            review.update_time,
        ];
        self.change_exactly(1, owner, SAVE, values).await
    }
}

/// The review of a pair, if something was said of it.
pub(super) async fn of(
    session: &mut ReadSession,
    round: &RoundId,
    pair_id: &str,
) -> Result<Option<PairReview>> {
    let row = session.row(GET, values![round, pair_id]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The reviews of some pairs of a round.
pub(super) async fn named(
    session: &mut ReadSession,
    round: &RoundId,
    ids: &[String],
) -> Result<Vec<PairReview>> {
    session.rows(NAMED, values![round, dialect::json(&ids)?]).await?.iter().map(read).collect()
}

/// Whether a caller who sends `etag` means this version of a review. A pair of which nothing was said has no etag.
pub(super) fn is_the_version(etag: &str, review: Option<&PairReview>) -> bool {
    review.map_or_else(|| etag.is_empty(), |review| is_meant(etag, review.version))
}

/// What is said now, with the review after it.
async fn said_now(
    session: &mut ReadSession,
    (round, pair): (&RoundId, &Pair),
    wanted: &NewComment<'_>,
    etag: &str,
    said: Record,
) -> Result<(PairReview, Comment)> {
    for person in [&pair.mentee, &pair.mentor] {
        expect_enrolled(session, round, person).await?;
    }
    if let Some(run) = wanted.run {
        let proposed = session.one(PROPOSED, values![round, run]).await?.int("proposed")?;
        if proposed == 0 {
            let state = round::of(session, round).await?.state.as_str();
            let required = &["submitted", "approved"];
            if !required.contains(&state) {
                return Err(Error::RoundState { round: round.name(), state, required });
            }
            let named = RunRef { round: round.clone(), number: run };
            let what = "is a match of a run that is not proposed for publication";
            return Err(Error::invalid_field("name", &named.name(), what));
        }
    }
    let pair_id = wanted.salt.match_id(&pair.mentee, &pair.mentor);
    let before = of(session, round, &pair_id).await?;
    // Who answers a contest has read it.
    let is_unread = wanted.kind == CommentKind::Mark
        && etag.is_empty()
        && before.as_ref().is_some_and(|review| review.contests > 0);
    if is_unread || !is_the_version(etag, before.as_ref()) {
        return Err(Error::EtagMismatch(format!("{}/pairs/{pair_id}", round.name())));
    }
    let review = after(before, (&pair_id, pair), Said::Comment(wanted.kind), &said);
    let NewComment { salt, kind, organisation, text, .. } = wanted;
    let comment = Comment {
        number: review.version,
        id: salt.comment_id(&pair_id, review.version),
        pair_id,
        kind: *kind,
        organisation: organisation.cloned(),
        text: (*text).to_owned(),
        said,
    };
    Ok((review, comment))
}

/// `Ok` if a person has or had an enrolment in the round. In the scope of an organisation, the people of others are taken as
/// they come: the caller has named a match.
pub(super) async fn expect_enrolled(
    session: &mut ReadSession,
    round: &RoundId,
    person: &ProfileRef,
) -> Result<()> {
    if !session.scope().covers(&person.organisation) {
        return Ok(());
    }
    let row = session.one(ENROLLED, values![round, &person.organisation, &person.id]).await?;
    if row.int("enrolled")? == 0 { Err(Error::NotFound(person.name())) } else { Ok(()) }
}

/// The review after something was said.
fn after(before: Option<PairReview>, (pair_id, pair): (&str, &Pair), said: Said, who: &Record) -> PairReview {
    let mut review = before.unwrap_or_else(|| PairReview {
        pair_id: pair_id.to_owned(),
        pair: pair.clone(),
        version: 0,
        mark: None,
        contests: 0,
        comments: 0,
        update_time: who.time,
    });
    review.version += 1;
    review.update_time = who.time;
    match said {
        Said::Decision | Said::Comment(CommentKind::Ask) => {}
        Said::Comment(CommentKind::Comment) => review.comments += 1,
        Said::Comment(CommentKind::Mark) => {
            review.mark = Some(who.clone());
            review.contests = 0;
            review.comments = 0;
        }
        Said::Comment(CommentKind::Contest | CommentKind::Objection) => {
            review.mark = None;
            review.contests += 1;
        }
    }
    review
}

fn read(row: &Row) -> Result<PairReview> {
    let pair_id = row.text("pair_id")?;
    let mark = match (row.opt_text("mark_actor")?, row.opt_time("mark_micros")?) {
        (Some(recorder), Some(time)) => Some(Record { recorder, time }),
        _ => None,
    };
    Ok(PairReview {
        pair: result::read_pair("pair_review", row)?,
        version: row.int("version")?,
        mark,
        contests: row.int("contests")?,
        comments: row.int("comments")?,
        update_time: row.time("update_micros")?,
        pair_id,
    })
}

/// Reads the columns of a comment.
pub(super) fn read_comment(pair: &PairRef, row: &Row) -> Result<Comment> {
    let id = row.text("id")?;
    let name = CommentRef { pair: pair.clone(), id: id.clone() }.name();
    let organisation = row.opt_text("organisation_id")?.map(|_| row.id("pair_comment", "organisation_id"));
    Ok(Comment {
        pair_id: row.text("pair_id")?,
        kind: row.parse("pair_comment", &name, "kind", CommentKind::from_name)?,
        organisation: organisation.transpose()?,
        text: row.text("body")?,
        said: Record { recorder: row.text("actor")?, time: row.time("create_micros")? },
        number: row.int("number")?,
        id,
    })
}
