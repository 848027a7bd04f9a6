-- The same tables, columns and names as migrations/postgres/0001_house.sql. Times are microseconds since 1970 (UTC),
-- truth values 0 or 1, documents JSON. Ids sort by their bytes.

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    country TEXT NOT NULL,
    rules TEXT NOT NULL,
    membership TEXT NOT NULL CHECK (membership IN ('applicant', 'member', 'suspended', 'left')),
    -- Version of the Alliance's rules that the organisation has accepted, and when; NULL while it has accepted none.
    accepted_rules TEXT,
    accept_micros INTEGER,
    -- Days after which a person who takes part in nothing any more is erased; 0 for never.
    idle_days INTEGER NOT NULL CHECK (idle_days = 0 OR idle_days BETWEEN 30 AND 3650),
    -- Most places that its mentors give to mentees of others, and that its mentees take from others; NULL for no limit.
    most_given INTEGER CHECK (most_given BETWEEN 0 AND 1000000),
    most_taken INTEGER CHECK (most_taken BETWEEN 0 AND 1000000),
    version INTEGER NOT NULL CHECK (version >= 1),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL,
    CHECK ((accepted_rules IS NULL) = (accept_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX organisation_member ON organisation (id) WHERE membership = 'member';
CREATE INDEX organisation_idle ON organisation (id) WHERE idle_days > 0;

-- Imports, under way while finish_micros is NULL. The end of an import sets two values of its row, and so makes all of
-- its rows visible at once.
CREATE TABLE profile_import (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    -- Rows that were staged.
    staged INTEGER NOT NULL CHECK (staged >= 0),
    -- Rows among them that were taken away again, because another import had stored the same before the end.
    unchanged INTEGER NOT NULL CHECK (unchanged BETWEEN 0 AND staged),
    -- Rows that may change the roles of a person, at least as many as do.
    role_changes INTEGER NOT NULL CHECK (role_changes >= 0),
    create_micros INTEGER NOT NULL,
    touch_micros INTEGER NOT NULL,
    finish_micros INTEGER,
    -- Id of the principal who finished the import; NULL before its end.
    actor TEXT,
    -- Number among the finished imports of the organisation, from 1, in the order of their commits.
    number INTEGER,
    CHECK ((finish_micros IS NULL) = (actor IS NULL)),
    UNIQUE (organisation_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX profile_import_stale ON profile_import (touch_micros) WHERE finish_micros IS NULL;

-- What an import says of a person: a version of her profile. It is written when its row is staged, counts from the end of
-- its import, and never changes from then on. The present version is the greatest one whose import has finished. A staged
-- row is the version after the one with whose consents it was merged, so two imports under way may have the same version
-- of a person, and one of them is merged again before it ends: a person has one finished version of each number.
--
-- No foreign key leads here or to the import: each would cost a tenth of the time of an import.
CREATE TABLE profile_version (
    organisation_id TEXT NOT NULL,
    own_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    import_id TEXT NOT NULL,
    -- Place among the rows of the import.
    ordinal INTEGER NOT NULL,
    is_mentor INTEGER NOT NULL CHECK (is_mentor IN (0, 1)),
    is_mentee INTEGER NOT NULL CHECK (is_mentee IN (0, 1)),
    -- Whether a consent to matching is in force in this version.
    has_consent INTEGER NOT NULL CHECK (has_consent IN (0, 1)),
    digest TEXT NOT NULL,
    -- Digest of the document before a person whom its lists named was erased: what the leaves of earlier runs cover.
    frozen_digest TEXT,
    document TEXT NOT NULL,
    PRIMARY KEY (organisation_id, own_id, version, import_id)
) STRICT;
CREATE INDEX profile_version_import ON profile_version (import_id, ordinal, version);
CREATE INDEX profile_version_without_consent ON profile_version (import_id) WHERE has_consent = 0;

-- Restrictions: a person whose data is kept and not used. A restriction is lifted and never deleted. It is no part of the
-- profile, so an import changes nothing about it.
CREATE TABLE profile_restriction (
    organisation_id TEXT NOT NULL,
    own_id TEXT NOT NULL,
    -- Number among the restrictions of the person, from 1.
    number INTEGER NOT NULL CHECK (number >= 1),
    reason TEXT NOT NULL CHECK (reason IN ('accuracy_contested', 'unlawful_processing', 'legal_claim', 'objection')),
    restrict_actor TEXT NOT NULL,
    restrict_micros INTEGER NOT NULL,
    -- Who lifted it, and when; NULL while it is in force.
    lift_actor TEXT,
    lift_micros INTEGER,
    PRIMARY KEY (organisation_id, own_id, number),
    CHECK ((lift_actor IS NULL) = (lift_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX profile_restriction_live ON profile_restriction (organisation_id, own_id) WHERE lift_micros IS NULL;

CREATE TABLE round (
    id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    start_date TEXT NOT NULL,
    end_date TEXT NOT NULL,
    -- Reference of the agreement under which the organisations take part; empty if none is named.
    agreement TEXT NOT NULL,
    -- 32 random bytes in hexadecimal: the secret key of match ids and of the digests that callers see.
    salt TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'enrolling', 'review', 'submitted', 'approved', 'published', 'closed', 'cancelled')),
    policy_version INTEGER NOT NULL CHECK (policy_version >= 1),
    -- Every member of the alliance is invited; then `round_organisation` has a row of each.
    all_members INTEGER NOT NULL CHECK (all_members IN (0, 1)),
    -- Number of the version, for the etag. Enrolments and runs do not change it.
    version INTEGER NOT NULL CHECK (version >= 1),
    -- Number of the last change of the enrolments.
    enrolment_number INTEGER NOT NULL CHECK (enrolment_number >= 0),
    -- Number of the last change of the decisions.
    decision_number INTEGER NOT NULL CHECK (decision_number >= 0),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The organisations that are invited to a round: the round, its policies and its runs exist for no other organisation. As long
-- as the round is not published, every one of them is a member of the alliance.
CREATE TABLE round_organisation (
    round_id TEXT NOT NULL REFERENCES round (id),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    PRIMARY KEY (round_id, organisation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX round_organisation_invited ON round_organisation (organisation_id, round_id);
CREATE INDEX round_all_members ON round (id) WHERE all_members = 1;

CREATE TABLE policy (
    round_id TEXT NOT NULL REFERENCES round (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    document TEXT NOT NULL,
    digest TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, version)
) STRICT, WITHOUT ROWID;

-- Who takes part in a round: people with a finished version of a profile. An enrolment is withdrawn and never deleted, so a
-- person may have several of one round, one after the other. A run covers the enrolments with enrol_number up to its own
-- number that were not withdrawn up to it.
CREATE TABLE enrolment (
    round_id TEXT NOT NULL REFERENCES round (id),
    organisation_id TEXT NOT NULL,
    own_id TEXT NOT NULL,
    -- Number of the change of the round's enrolments that made this one.
    enrol_number INTEGER NOT NULL CHECK (enrol_number >= 1),
    -- Last segment of the resource name.
    id TEXT NOT NULL,
    -- Secret salt of her leaves in the digests of runs (src/domain/leaf.rs), 16 random bytes in hexadecimal; empty once she
    -- was erased.
    salt TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- Id of the consent to matching on which it rests, within the profile; empty after the erasure of the person.
    consent TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    -- Day with which she began to wait for a mentor and why, by the waiting list when she was enrolled; NULL if she was not on it.
    waiting_since TEXT,
    waiting_cause TEXT CHECK (waiting_cause IN ('early_end', 'lost_match', 'no_match', 'no_show')),
    -- Number and moment of the change that withdrew it; NULL while it is live.
    withdraw_number INTEGER CHECK (withdraw_number > enrol_number),
    withdraw_micros INTEGER,
    PRIMARY KEY (round_id, organisation_id, own_id, enrol_number),
    CHECK ((waiting_since IS NULL) = (waiting_cause IS NULL)),
    CHECK ((withdraw_number IS NULL) = (withdraw_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX enrolment_live ON enrolment (round_id, organisation_id, own_id) WHERE withdraw_number IS NULL;
CREATE UNIQUE INDEX enrolment_id ON enrolment (id);
CREATE INDEX enrolment_profile ON enrolment (organisation_id, own_id);

-- Numbers of live enrolments, kept by every transaction that enrols or withdraws people or changes the roles of enrolled
-- people.
CREATE TABLE enrolment_count (
    round_id TEXT NOT NULL REFERENCES round (id),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    -- Number of the last change of the organisation's enrolments.
    change_number INTEGER NOT NULL,
    profiles INTEGER NOT NULL CHECK (profiles >= 0),
    -- People among them whose present profile has a mentor offer, and a mentee request. A person may have both.
    mentors INTEGER NOT NULL CHECK (mentors BETWEEN 0 AND profiles),
    mentees INTEGER NOT NULL CHECK (mentees BETWEEN 0 AND profiles),
    PRIMARY KEY (round_id, organisation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_count_organisation ON enrolment_count (organisation_id);

CREATE TABLE run (
    round_id TEXT NOT NULL REFERENCES round (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    policy_version INTEGER NOT NULL,
    -- Dates of the round when the run was started.
    start_date TEXT NOT NULL,
    end_date TEXT NOT NULL,
    -- Number of the last change of the round's enrolments when the run was started.
    enrolment_number INTEGER NOT NULL,
    -- Number of the run whose pairs this run keeps where it can, and the digest of that run's result as coordinators read it;
    -- NULL if the run follows none. The digests of the input cover the latter, so that they outlive the followed run.
    follows INTEGER CHECK (follows < number),
    follows_digest TEXT CHECK ((follows IS NULL) = (follows_digest IS NULL)),
    -- Whether the run repairs the one that it follows: to keep a pair comes before the scores.
    repairs INTEGER NOT NULL CHECK (repairs IN (0, 1) AND (repairs = 0 OR follows IS NOT NULL)),
    -- Most pairs that a repair may change; NULL for no limit.
    most_changes INTEGER CHECK (most_changes IS NULL OR (repairs = 1 AND most_changes BETWEEN 0 AND 1000000)),
    -- Number of the last change of the round's decisions when the run was started.
    decision_number INTEGER NOT NULL,
    -- Digest of the whole snapshot. Only the service reads it: it covers private answers.
    input_digest TEXT NOT NULL,
    engine_version TEXT NOT NULL,
    -- Digest of the whole result with its certificate; empty before the end. Only the service reads it.
    result_digest TEXT NOT NULL,
    -- Digests of the open answers and of the result as coordinators read it, keyed with the salt of the round; NULL before
    -- the run has succeeded.
    shown_input_digest TEXT,
    shown_result_digest TEXT,
    stage TEXT CHECK (stage IN ('encode', 'score', 'assign', 'certify', 'explain', 'save')),
    stage_done INTEGER NOT NULL CHECK (stage_done >= 0),
    stage_total INTEGER NOT NULL CHECK (stage_total >= 0),
    stage_eta_millis INTEGER,
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    -- Numbers for coordinators.
    summary TEXT,
    certificate BLOB,
    failure_reason TEXT,
    failure_message TEXT,
    cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
    lease_owner TEXT,
    lease_until_micros INTEGER,
    fence INTEGER NOT NULL CHECK (fence >= 0),
    -- JSON list of the first days of the calendar, so that one pair can be explained without the whole snapshot; NULL before
    -- the run has succeeded.
    first_days TEXT,
    -- Moment at which the purge of the run began: from then on the run does not exist for callers.
    purge_micros INTEGER,
    freeze_micros INTEGER NOT NULL,
    -- The W3C traceparent of the call that started the run, so that the trace of the run is linked to it; NULL if the call
    -- was not traced.
    trace_parent TEXT CHECK (length(trace_parent) <= 55),
    -- Since when the run waits for a worker, by the clock of the database: its start, or its last return to the queue.
    queue_micros INTEGER,
    create_micros INTEGER NOT NULL,
    start_micros INTEGER,
    end_micros INTEGER,
    PRIMARY KEY (round_id, number),
    FOREIGN KEY (round_id, policy_version) REFERENCES policy (round_id, version),
    CHECK ((state = 'succeeded') = (summary IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_reason IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (end_micros IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until_micros IS NOT NULL))
) STRICT;
-- A round has one active run, whatever the code above does.
CREATE UNIQUE INDEX run_active ON run (round_id) WHERE state IN ('queued', 'running');
CREATE INDEX run_queue ON run (create_micros, round_id, number) WHERE state IN ('queued', 'running');
CREATE INDEX run_ended ON run (end_micros) WHERE end_micros IS NOT NULL;
CREATE INDEX run_purge ON run (purge_micros) WHERE purge_micros IS NOT NULL;

-- The organisations of a frozen snapshot. The people are not copied: they are the enrolments that its enrolment number
-- covers, each in the version of the newest import up to `import_number`. Versions and enrolments are never deleted.
CREATE TABLE run_organisation (
    round_id TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    -- Number of the newest finished import of the organisation when the run was started; 0 before the first.
    import_number INTEGER NOT NULL,
    rules TEXT NOT NULL,
    -- Limits of the organisation's own. They are no part of `rules`, so that nobody else reads whether they have changed.
    most_given INTEGER,
    most_taken INTEGER,
    PRIMARY KEY (round_id, run_number, organisation_id),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
) STRICT, WITHOUT ROWID;

-- Numbers of a run for the manager of each organisation that takes part: about her own members only.
CREATE TABLE run_own_summary (
    round_id TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    document TEXT NOT NULL,
    PRIMARY KEY (round_id, run_number, organisation_id),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_match (
    round_id TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    -- Place by shown score, then id. It never leaves the service: it counts the matches of all organisations.
    ordinal INTEGER NOT NULL CHECK (ordinal >= 1),
    -- Keyed hash of the pair: the same in every run of the round.
    id TEXT NOT NULL,
    mentee_organisation_id TEXT NOT NULL,
    mentee_own_id TEXT NOT NULL,
    mentor_organisation_id TEXT NOT NULL,
    mentor_own_id TEXT NOT NULL,
    score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 10000),
    contributions TEXT NOT NULL,
    -- Whether a pin put the pair into the result.
    pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    PRIMARY KEY (round_id, run_number, ordinal),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
) STRICT;
CREATE UNIQUE INDEX run_match_pair ON run_match
    (round_id, run_number, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id);
CREATE UNIQUE INDEX run_match_id ON run_match (round_id, run_number, id);
CREATE INDEX run_match_mentee ON run_match (round_id, run_number, mentee_organisation_id, ordinal);
CREATE INDEX run_match_mentor ON run_match (round_id, run_number, mentor_organisation_id, ordinal);

CREATE TABLE run_unmatched (
    round_id TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 1),
    -- Side on which the person has no match; 'none' for a person whose profile has no role.
    side TEXT NOT NULL CHECK (side IN ('mentee', 'mentor', 'none')),
    organisation_id TEXT NOT NULL,
    own_id TEXT NOT NULL,
    -- The entry for coordinators, with exact counts.
    document TEXT NOT NULL,
    -- The entry for the manager of the organisation, with counts of other organisations' people in bands.
    own_document TEXT NOT NULL,
    PRIMARY KEY (round_id, run_number, ordinal),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
) STRICT;
CREATE UNIQUE INDEX run_unmatched_person ON run_unmatched (round_id, run_number, organisation_id, own_id, side);
CREATE INDEX run_unmatched_organisation ON run_unmatched (round_id, run_number, organisation_id, ordinal);

-- Leaves of the digests of a run whose content was destroyed with a person. The digests can still be computed.
CREATE TABLE run_leaf (
    round_id TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('input', 'open_input', 'match', 'unmatched', 'own_unmatched', 'below_minimum',
        'own_below_minimum', 'certificate', 'decision')),
    -- SHA-256 in hexadecimal.
    leaf TEXT NOT NULL,
    PRIMARY KEY (round_id, run_number, part, leaf),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
) STRICT, WITHOUT ROWID;

-- Decisions on pairs of a round: a pin (the pair must be) or a veto (it must not). They belong to the round, and hold in every run
-- that is started while they are in force. A decision is released and never deleted.
CREATE TABLE decision (
    round_id TEXT NOT NULL REFERENCES round (id),
    -- Number of the change of the round's decisions that made it; the last segment of its name.
    number INTEGER NOT NULL CHECK (number >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('pin', 'veto')),
    -- Keyed hash of the pair: the id of its matches.
    pair_id TEXT NOT NULL,
    mentee_organisation_id TEXT NOT NULL,
    mentee_own_id TEXT NOT NULL,
    mentor_organisation_id TEXT NOT NULL,
    mentor_own_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    -- JSON of what it changed in the newest run at the time; NULL if no run could answer.
    cost TEXT,
    -- Number of the change that released it; NULL while it is in force.
    release_number INTEGER CHECK (release_number > number),
    release_reason TEXT,
    release_actor TEXT,
    release_micros INTEGER,
    -- The same of its release.
    release_cost TEXT,
    PRIMARY KEY (round_id, number),
    CHECK ((release_number IS NULL) = (release_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX decision_live ON decision (round_id, pair_id) WHERE release_number IS NULL;
CREATE INDEX decision_mentee ON decision (mentee_organisation_id, mentee_own_id);
CREATE INDEX decision_mentor ON decision (mentor_organisation_id, mentor_own_id);

-- What reviewers have said of a pair of a round. A pair has a row from the first word on.
CREATE TABLE pair_review (
    round_id TEXT NOT NULL REFERENCES round (id),
    pair_id TEXT NOT NULL,
    mentee_organisation_id TEXT NOT NULL,
    mentee_own_id TEXT NOT NULL,
    mentor_organisation_id TEXT NOT NULL,
    mentor_own_id TEXT NOT NULL,
    -- Number of the version, for the etag: every word and every decision on the pair gives a new one.
    version INTEGER NOT NULL CHECK (version >= 1),
    -- Who looked at the pair last and agreed, and when; NULL while nobody has, or after a contest since.
    mark_actor TEXT,
    mark_micros INTEGER,
    -- Contests of organisations since the last mark.
    contests INTEGER NOT NULL CHECK (contests >= 0),
    comments INTEGER NOT NULL CHECK (comments >= 0),
    update_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, pair_id),
    CHECK ((mark_actor IS NULL) = (mark_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX pair_review_mentee ON pair_review (mentee_organisation_id, mentee_own_id);
CREATE INDEX pair_review_mentor ON pair_review (mentor_organisation_id, mentor_own_id);

-- The words themselves, in the order of their numbers.
CREATE TABLE pair_comment (
    round_id TEXT NOT NULL,
    pair_id TEXT NOT NULL,
    -- Version of the review that it made. No caller reads it.
    number INTEGER NOT NULL CHECK (number >= 1),
    -- Last segment of its name: a keyed hash, from which nobody learns how much was said.
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('comment', 'mark', 'contest', 'objection', 'ask')),
    -- The organisation that contests or objects; NULL for reviewers.
    organisation_id TEXT,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, pair_id, number),
    UNIQUE (round_id, pair_id, id),
    CHECK ((organisation_id IS NOT NULL) = (kind IN ('contest', 'objection'))),
    FOREIGN KEY (round_id, pair_id) REFERENCES pair_review (round_id, pair_id)
) STRICT, WITHOUT ROWID;

-- Experts who are asked about pairs. The question is a comment of the pair.
CREATE TABLE pair_ask (
    round_id TEXT NOT NULL,
    pair_id TEXT NOT NULL,
    -- Id of the principal who is asked.
    expert TEXT NOT NULL,
    -- Number of the comment that asks her.
    number INTEGER NOT NULL,
    -- Who withdrew it, and when; NULL while she may read the pair and comment on it.
    withdraw_actor TEXT,
    withdraw_micros INTEGER,
    PRIMARY KEY (round_id, pair_id, expert),
    FOREIGN KEY (round_id, pair_id, number) REFERENCES pair_comment (round_id, pair_id, number),
    CHECK ((withdraw_actor IS NULL) = (withdraw_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX pair_ask_expert ON pair_ask (expert, round_id, pair_id) WHERE withdraw_micros IS NULL;

-- Runs that were proposed for publication, and what became of the proposal.
CREATE TABLE submission (
    round_id TEXT NOT NULL,
    -- Number among the submissions of the round, from 1.
    number INTEGER NOT NULL CHECK (number >= 1),
    run_number INTEGER NOT NULL,
    -- Digest of the result as coordinators read it.
    result_digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitted', 'approved', 'rejected', 'published', 'unpublished', 'superseded')),
    -- Approvals that it needs, by the policy of the round when it was submitted.
    required_approvals INTEGER NOT NULL CHECK (required_approvals >= 1),
    -- Until when organisations may object, from the last approval on; NULL before.
    object_until_micros INTEGER,
    body TEXT NOT NULL,
    actor TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    publish_actor TEXT,
    publish_micros INTEGER,
    -- Who rejected or unpublished it, why and when.
    end_actor TEXT,
    end_reason TEXT,
    end_micros INTEGER,
    PRIMARY KEY (round_id, number),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number),
    CHECK ((state IN ('rejected', 'unpublished')) = (end_micros IS NOT NULL)),
    CHECK (state NOT IN ('published', 'unpublished', 'superseded') OR publish_micros IS NOT NULL)
) STRICT, WITHOUT ROWID;
-- A round has one proposal at a time, and one publication, whatever the code above does.
CREATE UNIQUE INDEX submission_live ON submission (round_id) WHERE state IN ('submitted', 'approved');
CREATE UNIQUE INDEX submission_published ON submission (round_id) WHERE state = 'published';
CREATE INDEX submission_run ON submission (round_id, run_number);

-- Who approved a submission: each principal once, and never its author.
CREATE TABLE approval (
    round_id TEXT NOT NULL,
    submission_number INTEGER NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, submission_number, actor),
    FOREIGN KEY (round_id, submission_number) REFERENCES submission (round_id, number)
) STRICT, WITHOUT ROWID;

-- Published matches with a life. A publication makes them, and a repair's publication ends those whose pairs go. A pair has one
-- life in a round: one that was withdrawn before anybody had accepted begins anew if the pair is published again.
CREATE TABLE mentorship (
    round_id TEXT NOT NULL REFERENCES round (id),
    -- Keyed hash of the pair: the id of its matches.
    id TEXT NOT NULL,
    -- Number of the published run that made it.
    run_number INTEGER NOT NULL,
    mentee_organisation_id TEXT NOT NULL,
    mentee_own_id TEXT NOT NULL,
    mentor_organisation_id TEXT NOT NULL,
    mentor_own_id TEXT NOT NULL,
    -- Shown score of the match; NULL once one of the two people was erased.
    score INTEGER CHECK (score BETWEEN 0 AND 10000),
    -- By what reports group people, as the profiles were at the publication: codes of the M49 regions, career stage and best
    -- language of the mentee. What a person has not answered, and everything of an erased person, is NULL.
    mentee_region TEXT,
    mentor_region TEXT,
    mentee_stage INTEGER CHECK (mentee_stage BETWEEN 1 AND 7),
    mentee_language TEXT,
    -- Days that the mentee had waited at the publication: since her first day on the waiting list, or since her enrolment.
    waited_days INTEGER CHECK (waited_days >= 0),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'active', 'paused', 'completed', 'ended_early',
        'withdrawn')),
    propose_micros INTEGER NOT NULL,
    respond_until_micros INTEGER NOT NULL,
    -- Answers of the two sides, each with who recorded it and when; NULL before. A reason is that of a decline.
    mentor_answer TEXT CHECK (mentor_answer IN ('accepted', 'declined')),
    mentor_reason TEXT,
    mentor_actor TEXT,
    mentor_answer_micros INTEGER,
    mentee_answer TEXT CHECK (mentee_answer IN ('accepted', 'declined')),
    mentee_reason TEXT,
    mentee_actor TEXT,
    mentee_answer_micros INTEGER,
    -- When both had accepted.
    accept_micros INTEGER,
    -- Day of the first meeting, with which the mentorship is active.
    first_meeting_date TEXT,
    -- Since when it pauses; NULL while it does not.
    pause_micros INTEGER,
    -- When, why, by which side and by whom it ended. A publication ends it for no side.
    end_micros INTEGER,
    end_reason TEXT,
    end_side TEXT CHECK (end_side IN ('mentor', 'mentee', 'both', 'organisation')),
    end_actor TEXT,
    -- Number of the version, for the etag.
    version INTEGER NOT NULL CHECK (version >= 1),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, id),
    CHECK ((mentor_answer IS NULL) = (mentor_answer_micros IS NULL)),
    CHECK ((mentee_answer IS NULL) = (mentee_answer_micros IS NULL)),
    CHECK (state NOT IN ('accepted', 'active', 'paused', 'completed') OR accept_micros IS NOT NULL),
    CHECK (state NOT IN ('active', 'paused', 'completed') OR first_meeting_date IS NOT NULL),
    CHECK ((state = 'paused') = (pause_micros IS NOT NULL)),
    CHECK ((state IN ('proposed', 'accepted', 'active', 'paused')) = (end_micros IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX mentorship_mentee ON mentorship (mentee_organisation_id, mentee_own_id);
CREATE INDEX mentorship_mentor ON mentorship (mentor_organisation_id, mentor_own_id);
CREATE INDEX mentorship_of_mentees ON mentorship (mentee_organisation_id, round_id, id);
CREATE INDEX mentorship_of_mentors ON mentorship (mentor_organisation_id, round_id, id);
CREATE INDEX mentorship_ended ON mentorship (round_id, id) WHERE state IN ('declined', 'ended_early');
CREATE INDEX mentorship_live ON mentorship (round_id, id) WHERE state IN ('proposed', 'accepted', 'active', 'paused');

-- Follow-up records of mentorships, one of each side and point of the schedule. Both sides' records are kept, and each belongs to
-- the organisation of its side. What was not answered is NULL.
CREATE TABLE check_in (
    round_id TEXT NOT NULL,
    mentorship_id TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('mentor', 'mentee')),
    point TEXT NOT NULL CHECK (point IN ('week_6', 'middle', 'end', 'month_12', 'month_24', 'month_36')),
    -- The organisation of the side.
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    check_date TEXT NOT NULL,
    meetings INTEGER CHECK (meetings BETWEEN 0 AND 1000),
    minutes INTEGER CHECK (minutes BETWEEN 0 AND 100000),
    satisfaction INTEGER CHECK (satisfaction BETWEEN 1 AND 5),
    recommend INTEGER CHECK (recommend BETWEEN 0 AND 10),
    goals_achieved INTEGER CHECK (goals_achieved BETWEEN 0 AND 100),
    goals_partly INTEGER CHECK (goals_partly BETWEEN 0 AND 100),
    goals_missed INTEGER CHECK (goals_missed BETWEEN 0 AND 100),
    instrument TEXT CHECK (instrument IN ('mfq_9', 'memeq', 'mecs', 'working_alliance')),
    instrument_version TEXT,
    -- In hundredths of the scale's unit.
    instrument_score INTEGER CHECK (instrument_score BETWEEN 0 AND 1000000),
    promoted INTEGER CHECK (promoted IN (0, 1)),
    changed_role INTEGER CHECK (changed_role IN (0, 1)),
    in_sector INTEGER CHECK (in_sector IN (0, 1)),
    actor TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, mentorship_id, side, point),
    CHECK ((instrument IS NULL) = (instrument_score IS NULL)),
    FOREIGN KEY (round_id, mentorship_id) REFERENCES mentorship (round_id, id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX check_in_organisation ON check_in (organisation_id, round_id, mentorship_id, side, point);

-- Reminders that were given as events, each once.
CREATE TABLE mentorship_reminder (
    round_id TEXT NOT NULL,
    mentorship_id TEXT NOT NULL,
    -- Of what: the answer, the first meeting, or a point of the schedule.
    kind TEXT NOT NULL CHECK (kind IN ('answer', 'first_meeting', 'week_6', 'middle', 'end', 'month_12', 'month_24', 'month_36')),
    side TEXT NOT NULL CHECK (side IN ('mentor', 'mentee')),
    remind_micros INTEGER NOT NULL,
    PRIMARY KEY (round_id, mentorship_id, kind, side),
    FOREIGN KEY (round_id, mentorship_id) REFERENCES mentorship (round_id, id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

-- Mentees who left the waiting list, which is read from the published runs: nothing that was published before counts for them.
CREATE TABLE waiting_leave (
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    own_id TEXT NOT NULL,
    -- The principal who took her off the list last.
    actor TEXT NOT NULL,
    leave_micros INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, own_id)
) STRICT, WITHOUT ROWID;

-- Consultations: questions that the Alliance puts to its organisations. Nothing of one changes but the deadline and the state.
CREATE TABLE consultation (
    id TEXT PRIMARY KEY,
    -- JSON of the texts, the questions and the draft on which the organisations are consulted.
    document TEXT NOT NULL,
    result_grouping TEXT NOT NULL CHECK (result_grouping IN ('organisation', 'region')),
    deadline_micros INTEGER NOT NULL,
    -- An open one whose deadline has passed is closed for everybody, whenever housekeeping writes so.
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'cancelled')),
    cancel_reason TEXT CHECK ((cancel_reason IS NOT NULL) = (state = 'cancelled')),
    version INTEGER NOT NULL CHECK (version >= 1),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX consultation_open ON consultation (deadline_micros) WHERE state = 'open';

-- The answer of each organisation, in its present form.
CREATE TABLE consultation_answer (
    consultation_id TEXT NOT NULL REFERENCES consultation (id),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    -- UN M49 code of the region of its seat when it answered: a later move changes no result.
    region TEXT NOT NULL,
    -- JSON of the chosen options and the comments.
    document TEXT NOT NULL,
    -- Who gave the answer in its present form.
    actor TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL,
    PRIMARY KEY (consultation_id, organisation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consultation_answer_organisation ON consultation_answer (organisation_id);

-- Reports: numbers that are frozen at a moment. A report is only ever inserted: the triggers below refuse everything else.
CREATE TABLE report (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('round', 'programme', 'annual', 'committee')),
    -- The parts of its scope: one scope has its releases one after the other.
    round_id TEXT REFERENCES round (id),
    organisation_id TEXT REFERENCES organisation (id),
    year INTEGER,
    -- Number of the release of its scope, from 1.
    number INTEGER NOT NULL CHECK (number >= 1),
    -- Version of the list of parameters by which it counts.
    list_version INTEGER NOT NULL,
    -- Canonical JSON of its numbers, and its SHA-256 in hexadecimal.
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- JSON of the true counts behind the published ones, by which the next release of the scope is made. No caller reads it.
    anchors TEXT NOT NULL,
    actor TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    CHECK ((kind = 'round') = (round_id IS NOT NULL)),
    CHECK ((kind = 'annual') = (organisation_id IS NOT NULL)),
    CHECK ((kind IN ('annual', 'committee')) = (year IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX report_release ON report (kind, COALESCE(round_id, ''), COALESCE(organisation_id, ''), COALESCE(year, 0), number);
CREATE INDEX report_organisation ON report (organisation_id, id);
CREATE INDEX report_round ON report (round_id);
CREATE TRIGGER report_update BEFORE UPDATE ON report
BEGIN
    SELECT RAISE(ABORT, 'a report is immutable');
END;
CREATE TRIGGER report_delete BEFORE DELETE ON report
BEGIN
    SELECT RAISE(ABORT, 'a report is immutable');
END;

-- Erasures of people: what each has destroyed, under which id the counts remain, and by what an erased person is recognised
-- when she is imported again.
CREATE TABLE erasure (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    -- Her own id, until the erasure has ended.
    own_id TEXT,
    -- The random id that enrolments and matches have in its place.
    surrogate TEXT NOT NULL UNIQUE,
    -- Keyed hash of the organisation and her own id.
    tombstone TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- JSON of what was destroyed.
    counts TEXT NOT NULL,
    create_micros INTEGER NOT NULL,
    end_micros INTEGER,
    -- Moment at which her organisation stated that she has come back: from then on she may be imported.
    return_micros INTEGER,
    CHECK ((own_id IS NULL) = (end_micros IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX erasure_tombstone ON erasure (organisation_id, tombstone) WHERE return_micros IS NULL;
CREATE INDEX erasure_organisation ON erasure (organisation_id, id);
CREATE INDEX erasure_open ON erasure (create_micros) WHERE end_micros IS NULL;

-- Who calls: a person, known by a handle that she chose, or a service.
CREATE TABLE principal (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
    handle TEXT NOT NULL UNIQUE,
    -- JSON list of BCP 47 tags, the best first.
    languages TEXT NOT NULL,
    -- Name of the time zone database; empty if not said.
    time_zone TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    create_micros INTEGER NOT NULL,
    update_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A role of a principal, for one organisation or for the alliance.
CREATE TABLE role_grant (
    id TEXT PRIMARY KEY,
    principal_id TEXT NOT NULL REFERENCES principal (id),
    role TEXT NOT NULL CHECK (role IN ('secretariat', 'coordinator', 'organisation-manager', 'expert',
        'committee-member', 'service', 'operations')),
    organisation_id TEXT REFERENCES organisation (id),
    from_micros INTEGER NOT NULL,
    -- The grant ends by itself at this moment; NULL without such an end.
    until_micros INTEGER CHECK (until_micros > from_micros),
    -- The moment at which somebody ended the grant. It is ended for ever, whatever the clock says.
    end_micros INTEGER,
    create_micros INTEGER NOT NULL,
    CHECK (role <> 'organisation-manager' OR organisation_id IS NOT NULL),
    CHECK (role IN ('organisation-manager', 'expert', 'service') OR organisation_id IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_grant_principal ON role_grant (principal_id, id);
CREATE INDEX role_grant_organisation ON role_grant (organisation_id);

-- What a principal shows to be known.
CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    principal_id TEXT NOT NULL REFERENCES principal (id),
    kind TEXT NOT NULL CHECK (kind IN ('token', 'jwt', 'certificate')),
    -- Hash of a token; JSON of issuer and subject of a JWT; fingerprint of a certificate.
    identity TEXT NOT NULL,
    -- The part that people may see.
    prefix TEXT NOT NULL,
    label TEXT NOT NULL,
    expire_micros INTEGER,
    revoke_micros INTEGER,
    -- When it last opened a call, to the minute and a minute late.
    use_micros INTEGER,
    create_micros INTEGER NOT NULL,
    UNIQUE (kind, identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_principal ON credential (principal_id, id);

-- Invitations: whoever shows the secret first becomes a principal with the roles.
CREATE TABLE invitation (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    -- JSON list of roles, each with its beginning and its end.
    grants TEXT NOT NULL,
    expire_micros INTEGER NOT NULL,
    redeem_micros INTEGER,
    principal_id TEXT REFERENCES principal (id),
    -- Who created it: the id of a principal, or 'operator'.
    actor TEXT NOT NULL,
    cancel_micros INTEGER CHECK (cancel_micros IS NULL OR redeem_micros IS NULL),
    create_micros INTEGER NOT NULL,
    CHECK ((redeem_micros IS NULL) = (principal_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_principal ON invitation (principal_id);
CREATE INDEX invitation_actor ON invitation (actor, id);
CREATE INDEX invitation_expiry ON invitation (expire_micros);

-- Sessions of the console: whoever shows the secret acts as the principal, in one of her roles.
CREATE TABLE console_session (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    principal_id TEXT NOT NULL REFERENCES principal (id),
    -- The grant in which she acts. A session ends with its grant.
    grant_id TEXT NOT NULL REFERENCES role_grant (id),
    sign_in TEXT NOT NULL CHECK (sign_in IN ('token', 'passkey')),
    -- The language of the pages, as a BCP 47 tag.
    lang TEXT NOT NULL,
    -- When she last proved who she is.
    proof_micros INTEGER NOT NULL,
    use_micros INTEGER NOT NULL,
    create_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_principal ON console_session (principal_id, id);
CREATE INDEX console_session_grant ON console_session (grant_id);
CREATE INDEX console_session_age ON console_session (create_micros);

-- First answers by request_id.
CREATE TABLE idempotency (
    principal_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    method TEXT NOT NULL,
    payload_digest TEXT NOT NULL,
    response BLOB NOT NULL,
    create_micros INTEGER NOT NULL,
    PRIMARY KEY (principal_id, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (create_micros);

-- Who changed what, and when: the audit, and the outbox of events. Only ever appended to. An entry is written in the
-- transaction of its change; soon after, it is sealed: it gets its place in the one chain of hashes (src/domain/audit.rs),
-- which is also its place in the stream of events. The triggers below refuse everything else.
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    create_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    organisation_id TEXT,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    -- Version of the resource after the change, if it has versions.
    version INTEGER,
    -- Codes, counts and ids, never an answer of a person.
    detail TEXT NOT NULL,
    position INTEGER UNIQUE,
    hash TEXT,
    CHECK ((position IS NULL) = (hash IS NULL))
) STRICT;
CREATE INDEX journal_time ON journal (create_micros, sequence);
CREATE INDEX journal_actor ON journal (actor, create_micros, sequence);
CREATE INDEX journal_resource ON journal (resource, create_micros, sequence);
CREATE INDEX journal_organisation ON journal (organisation_id, create_micros, sequence);

-- The end of the chain, and its beginning: the last entry that retention has deleted. Position 0 is before the first entry.
CREATE TABLE journal_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    hash TEXT NOT NULL,
    cut_position INTEGER NOT NULL CHECK (cut_position BETWEEN 0 AND position),
    cut_hash TEXT NOT NULL
) STRICT;
INSERT INTO journal_head (id, position, hash, cut_position, cut_hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- An entry is sealed once, and deleted only up to the cut, which an entry names.
CREATE TRIGGER journal_insert BEFORE INSERT ON journal WHEN NEW.position IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'an entry is sealed after its transaction');
END;
CREATE TRIGGER journal_update BEFORE UPDATE ON journal
    WHEN OLD.position IS NOT NULL OR NEW.sequence IS NOT OLD.sequence OR NEW.create_micros IS NOT OLD.create_micros OR NEW.actor IS NOT OLD.actor OR NEW.organisation_id IS NOT OLD.organisation_id 
        OR NEW.action IS NOT OLD.action OR NEW.resource IS NOT OLD.resource OR NEW.version IS NOT OLD.version OR NEW.detail IS NOT OLD.detail
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_delete BEFORE DELETE ON journal
    WHEN OLD.position IS NULL OR OLD.position > (SELECT cut_position FROM journal_head WHERE id = 1)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_head_update BEFORE UPDATE ON journal_head
    WHEN NEW.position < OLD.position OR NEW.cut_position < OLD.cut_position
BEGIN
    SELECT RAISE(ABORT, 'the head of the journal only moves on');
END;
CREATE TRIGGER journal_head_cut BEFORE UPDATE ON journal_head
    WHEN NEW.cut_position > OLD.cut_position AND NOT EXISTS (SELECT 1 FROM journal WHERE action = 'journal.purge'
        AND resource = 'journal/' || NEW.cut_position || '-' || NEW.cut_hash)
BEGIN
    SELECT RAISE(ABORT, 'an entry must name the cut of the journal');
END;
CREATE TRIGGER journal_head_delete BEFORE DELETE ON journal_head
BEGIN
    SELECT RAISE(ABORT, 'the head of the journal only moves on');
END;

-- Secrets of the service, made when they are first needed.
CREATE TABLE service_key (
    name TEXT PRIMARY KEY,
    -- 32 random bytes in hexadecimal.
    secret TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The one row that the readiness check writes.
CREATE TABLE write_probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Number of checks so far; only the change matters.
    writes INTEGER NOT NULL
) STRICT;
INSERT INTO write_probe (id, writes) VALUES (1, 0);
