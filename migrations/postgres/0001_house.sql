-- The same tables, columns and names as migrations/sqlite/0001_house.sql. Times are microseconds since 1970 (UTC),
-- truth values 0 or 1, documents JSON. Ids sort by their bytes.

CREATE TABLE organisation (
    id TEXT COLLATE "C" PRIMARY KEY,
    display_name TEXT COLLATE "C" NOT NULL,
    country TEXT COLLATE "C" NOT NULL,
    rules TEXT COLLATE "C" NOT NULL,
    membership TEXT COLLATE "C" NOT NULL CHECK (membership IN ('applicant', 'member', 'suspended', 'left')),
    -- Version of the Alliance's rules that the organisation has accepted, and when; NULL while it has accepted none.
    accepted_rules TEXT COLLATE "C",
    accept_micros BIGINT,
    -- Days after which a person who takes part in nothing any more is erased; 0 for never.
    idle_days BIGINT NOT NULL CHECK (idle_days = 0 OR idle_days BETWEEN 30 AND 3650),
    -- Most places that its mentors give to mentees of others, and that its mentees take from others; NULL for no limit.
    most_given BIGINT CHECK (most_given BETWEEN 0 AND 1000000),
    most_taken BIGINT CHECK (most_taken BETWEEN 0 AND 1000000),
    version BIGINT NOT NULL CHECK (version >= 1),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL,
    CHECK ((accepted_rules IS NULL) = (accept_micros IS NULL))
);
CREATE INDEX organisation_member ON organisation (id) WHERE membership = 'member';
CREATE INDEX organisation_idle ON organisation (id) WHERE idle_days > 0;

-- Imports, under way while finish_micros is NULL. The end of an import sets two values of its row, and so makes all of
-- its rows visible at once.
CREATE TABLE profile_import (
    id TEXT COLLATE "C" PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    -- Rows that were staged.
    staged BIGINT NOT NULL CHECK (staged >= 0),
    -- Rows among them that were taken away again, because another import had stored the same before the end.
    unchanged BIGINT NOT NULL CHECK (unchanged BETWEEN 0 AND staged),
    -- Rows that may change the roles of a person, at least as many as do.
    role_changes BIGINT NOT NULL CHECK (role_changes >= 0),
    create_micros BIGINT NOT NULL,
    touch_micros BIGINT NOT NULL,
    finish_micros BIGINT,
    -- Id of the principal who finished the import; NULL before its end.
    actor TEXT COLLATE "C",
    -- Number among the finished imports of the organisation, from 1, in the order of their commits.
    number BIGINT,
    CHECK ((finish_micros IS NULL) = (actor IS NULL)),
    UNIQUE (organisation_id, number)
);
CREATE INDEX profile_import_stale ON profile_import (touch_micros) WHERE finish_micros IS NULL;

-- What an import says of a person: a version of her profile. It is written when its row is staged, counts from the end of
-- its import, and never changes from then on. The present version is the greatest one whose import has finished. A staged
-- row is the version after the one with whose consents it was merged, so two imports under way may have the same version
-- of a person, and one of them is merged again before it ends: a person has one finished version of each number.
--
-- No foreign key leads here or to the import: each would cost a tenth of the time of an import.
CREATE TABLE profile_version (
    organisation_id TEXT COLLATE "C" NOT NULL,
    own_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    import_id TEXT COLLATE "C" NOT NULL,
    -- Place among the rows of the import.
    ordinal BIGINT NOT NULL,
    is_mentor BIGINT NOT NULL CHECK (is_mentor IN (0, 1)),
    is_mentee BIGINT NOT NULL CHECK (is_mentee IN (0, 1)),
    -- Whether a consent to matching is in force in this version.
    has_consent BIGINT NOT NULL CHECK (has_consent IN (0, 1)),
    digest TEXT COLLATE "C" NOT NULL,
    -- Digest of the document before a person whom its lists named was erased: what the leaves of earlier runs cover.
    frozen_digest TEXT COLLATE "C",
    document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organisation_id, own_id, version, import_id)
);
CREATE INDEX profile_version_import ON profile_version (import_id, ordinal, version);
CREATE INDEX profile_version_without_consent ON profile_version (import_id) WHERE has_consent = 0;

-- Restrictions: a person whose data is kept and not used. A restriction is lifted and never deleted. It is no part of the
-- profile, so an import changes nothing about it.
CREATE TABLE profile_restriction (
    organisation_id TEXT COLLATE "C" NOT NULL,
    own_id TEXT COLLATE "C" NOT NULL,
    -- Number among the restrictions of the person, from 1.
    number BIGINT NOT NULL CHECK (number >= 1),
    reason TEXT NOT NULL CHECK (reason IN ('accuracy_contested', 'unlawful_processing', 'legal_claim', 'objection')),
    restrict_actor TEXT COLLATE "C" NOT NULL,
    restrict_micros BIGINT NOT NULL,
    -- Who lifted it, and when; NULL while it is in force.
    lift_actor TEXT COLLATE "C",
    lift_micros BIGINT,
    PRIMARY KEY (organisation_id, own_id, number),
    CHECK ((lift_actor IS NULL) = (lift_micros IS NULL))
);
CREATE UNIQUE INDEX profile_restriction_live ON profile_restriction (organisation_id, own_id) WHERE lift_micros IS NULL;

CREATE TABLE round (
    id TEXT COLLATE "C" PRIMARY KEY,
    display_name TEXT COLLATE "C" NOT NULL,
    start_date TEXT COLLATE "C" NOT NULL,
    end_date TEXT COLLATE "C" NOT NULL,
    -- Reference of the agreement under which the organisations take part; empty if none is named.
    agreement TEXT NOT NULL,
    -- 32 random bytes in hexadecimal: the secret key of match ids and of the digests that callers see.
    salt TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'enrolling', 'review', 'submitted', 'approved', 'published', 'closed', 'cancelled')),
    policy_version BIGINT NOT NULL CHECK (policy_version >= 1),
    -- Every member of the alliance is invited; then `round_organisation` has a row of each.
    all_members BIGINT NOT NULL CHECK (all_members IN (0, 1)),
    -- Number of the version, for the etag. Enrolments and runs do not change it.
    version BIGINT NOT NULL CHECK (version >= 1),
    -- Number of the last change of the enrolments.
    enrolment_number BIGINT NOT NULL CHECK (enrolment_number >= 0),
    -- Number of the last change of the decisions.
    decision_number BIGINT NOT NULL CHECK (decision_number >= 0),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL
);

-- The organisations that are invited to a round: the round, its policies and its runs exist for no other organisation. As long
-- as the round is not published, every one of them is a member of the alliance.
CREATE TABLE round_organisation (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    PRIMARY KEY (round_id, organisation_id)
);
CREATE INDEX round_organisation_invited ON round_organisation (organisation_id, round_id);
CREATE INDEX round_all_members ON round (id) WHERE all_members = 1;

CREATE TABLE policy (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    document TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, version)
);

-- Who takes part in a round: people with a finished version of a profile. An enrolment is withdrawn and never deleted, so a
-- person may have several of one round, one after the other. A run covers the enrolments with enrol_number up to its own
-- number that were not withdrawn up to it.
CREATE TABLE enrolment (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    organisation_id TEXT COLLATE "C" NOT NULL,
    own_id TEXT COLLATE "C" NOT NULL,
    -- Number of the change of the round's enrolments that made this one.
    enrol_number BIGINT NOT NULL CHECK (enrol_number >= 1),
    -- Last segment of the resource name.
    id TEXT COLLATE "C" NOT NULL,
    -- Secret salt of her leaves in the digests of runs (src/domain/leaf.rs), 16 random bytes in hexadecimal; empty once she
    -- was erased.
    salt TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    -- Id of the consent to matching on which it rests, within the profile; empty after the erasure of the person.
    consent TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    -- Day with which she began to wait for a mentor and why, by the waiting list when she was enrolled; NULL if she was not on it.
    waiting_since TEXT COLLATE "C",
    waiting_cause TEXT COLLATE "C" CHECK (waiting_cause IN ('early_end', 'lost_match', 'no_match', 'no_show')),
    -- Number and moment of the change that withdrew it; NULL while it is live.
    withdraw_number BIGINT CHECK (withdraw_number > enrol_number),
    withdraw_micros BIGINT,
    PRIMARY KEY (round_id, organisation_id, own_id, enrol_number),
    CHECK ((waiting_since IS NULL) = (waiting_cause IS NULL)),
    CHECK ((withdraw_number IS NULL) = (withdraw_micros IS NULL))
);
CREATE UNIQUE INDEX enrolment_live ON enrolment (round_id, organisation_id, own_id) WHERE withdraw_number IS NULL;
CREATE UNIQUE INDEX enrolment_id ON enrolment (id);
CREATE INDEX enrolment_profile ON enrolment (organisation_id, own_id);

-- Numbers of live enrolments, kept by every transaction that enrols or withdraws people or changes the roles of enrolled
-- people.
CREATE TABLE enrolment_count (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    -- Number of the last change of the organisation's enrolments.
    change_number BIGINT NOT NULL,
    profiles BIGINT NOT NULL CHECK (profiles >= 0),
    -- People among them whose present profile has a mentor offer, and a mentee request. A person may have both.
    mentors BIGINT NOT NULL CHECK (mentors BETWEEN 0 AND profiles),
    mentees BIGINT NOT NULL CHECK (mentees BETWEEN 0 AND profiles),
    PRIMARY KEY (round_id, organisation_id)
);
CREATE INDEX enrolment_count_organisation ON enrolment_count (organisation_id);

CREATE TABLE run (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    policy_version BIGINT NOT NULL,
    -- Dates of the round when the run was started.
    start_date TEXT COLLATE "C" NOT NULL,
    end_date TEXT COLLATE "C" NOT NULL,
    -- Number of the last change of the round's enrolments when the run was started.
    enrolment_number BIGINT NOT NULL,
    -- Number of the run whose pairs this run keeps where it can, and the digest of that run's result as coordinators read it;
    -- NULL if the run follows none. The digests of the input cover the latter, so that they outlive the followed run.
    follows BIGINT CHECK (follows < number),
    follows_digest TEXT COLLATE "C" CHECK ((follows IS NULL) = (follows_digest IS NULL)),
    -- Whether the run repairs the one that it follows: to keep a pair comes before the scores.
    repairs BIGINT NOT NULL CHECK (repairs IN (0, 1) AND (repairs = 0 OR follows IS NOT NULL)),
    -- Most pairs that a repair may change; NULL for no limit.
    most_changes BIGINT CHECK (most_changes IS NULL OR (repairs = 1 AND most_changes BETWEEN 0 AND 1000000)),
    -- Number of the last change of the round's decisions when the run was started.
    decision_number BIGINT NOT NULL,
    -- Digest of the whole snapshot. Only the service reads it: it covers private answers.
    input_digest TEXT COLLATE "C" NOT NULL,
    engine_version TEXT COLLATE "C" NOT NULL,
    -- Digest of the whole result with its certificate; empty before the end. Only the service reads it.
    result_digest TEXT COLLATE "C" NOT NULL,
    -- Digests of the open answers and of the result as coordinators read it, keyed with the salt of the round; NULL before
    -- the run has succeeded.
    shown_input_digest TEXT COLLATE "C",
    shown_result_digest TEXT COLLATE "C",
    stage TEXT COLLATE "C" CHECK (stage IN ('encode', 'score', 'assign', 'certify', 'explain', 'save')),
    stage_done BIGINT NOT NULL CHECK (stage_done >= 0),
    stage_total BIGINT NOT NULL CHECK (stage_total >= 0),
    stage_eta_millis BIGINT,
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    -- Numbers for coordinators.
    summary TEXT COLLATE "C",
    certificate BYTEA,
    failure_reason TEXT COLLATE "C",
    failure_message TEXT COLLATE "C",
    cancel_requested BIGINT NOT NULL CHECK (cancel_requested IN (0, 1)),
    lease_owner TEXT COLLATE "C",
    lease_until_micros BIGINT,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    -- JSON list of the first days of the calendar, so that one pair can be explained without the whole snapshot; NULL before
    -- the run has succeeded.
    first_days TEXT COLLATE "C",
    -- Moment at which the purge of the run began: from then on the run does not exist for callers.
    purge_micros BIGINT,
    freeze_micros BIGINT NOT NULL,
    -- The W3C traceparent of the call that started the run, so that the trace of the run is linked to it; NULL if the call
    -- was not traced.
    trace_parent TEXT COLLATE "C" CHECK (length(trace_parent) <= 55),
    -- Since when the run waits for a worker, by the clock of the database: its start, or its last return to the queue.
    queue_micros BIGINT,
    create_micros BIGINT NOT NULL,
    start_micros BIGINT,
    end_micros BIGINT,
    PRIMARY KEY (round_id, number),
    FOREIGN KEY (round_id, policy_version) REFERENCES policy (round_id, version),
    CHECK ((state = 'succeeded') = (summary IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_reason IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (end_micros IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until_micros IS NOT NULL))
);
-- A round has one active run, whatever the code above does.
CREATE UNIQUE INDEX run_active ON run (round_id) WHERE state IN ('queued', 'running');
CREATE INDEX run_queue ON run (create_micros, round_id, number) WHERE state IN ('queued', 'running');
CREATE INDEX run_ended ON run (end_micros) WHERE end_micros IS NOT NULL;
CREATE INDEX run_purge ON run (purge_micros) WHERE purge_micros IS NOT NULL;

-- The organisations of a frozen snapshot. The people are not copied: they are the enrolments that its enrolment number
-- covers, each in the version of the newest import up to `import_number`. Versions and enrolments are never deleted.
CREATE TABLE run_organisation (
    round_id TEXT COLLATE "C" NOT NULL,
    run_number BIGINT NOT NULL,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    -- Number of the newest finished import of the organisation when the run was started; 0 before the first.
    import_number BIGINT NOT NULL,
    rules TEXT COLLATE "C" NOT NULL,
    -- Limits of the organisation's own. They are no part of `rules`, so that nobody else reads whether they have changed.
    most_given BIGINT,
    most_taken BIGINT,
    PRIMARY KEY (round_id, run_number, organisation_id),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
);

-- Numbers of a run for the manager of each organisation that takes part: about her own members only.
CREATE TABLE run_own_summary (
    round_id TEXT COLLATE "C" NOT NULL,
    run_number BIGINT NOT NULL,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (round_id, run_number, organisation_id),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
);

CREATE TABLE run_match (
    round_id TEXT COLLATE "C" NOT NULL,
    run_number BIGINT NOT NULL,
    -- Place by shown score, then id. It never leaves the service: it counts the matches of all organisations.
    ordinal BIGINT NOT NULL CHECK (ordinal >= 1),
    -- Keyed hash of the pair: the same in every run of the round.
    id TEXT COLLATE "C" NOT NULL,
    mentee_organisation_id TEXT COLLATE "C" NOT NULL,
    mentee_own_id TEXT COLLATE "C" NOT NULL,
    mentor_organisation_id TEXT COLLATE "C" NOT NULL,
    mentor_own_id TEXT COLLATE "C" NOT NULL,
    score BIGINT NOT NULL CHECK (score BETWEEN 0 AND 10000),
    contributions TEXT COLLATE "C" NOT NULL,
    -- Whether a pin put the pair into the result.
    pinned BIGINT NOT NULL CHECK (pinned IN (0, 1)),
    PRIMARY KEY (round_id, run_number, ordinal),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
);
CREATE UNIQUE INDEX run_match_pair ON run_match
    (round_id, run_number, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id);
CREATE UNIQUE INDEX run_match_id ON run_match (round_id, run_number, id);
CREATE INDEX run_match_mentee ON run_match (round_id, run_number, mentee_organisation_id, ordinal);
CREATE INDEX run_match_mentor ON run_match (round_id, run_number, mentor_organisation_id, ordinal);

CREATE TABLE run_unmatched (
    round_id TEXT COLLATE "C" NOT NULL,
    run_number BIGINT NOT NULL,
    ordinal BIGINT NOT NULL CHECK (ordinal >= 1),
    -- Side on which the person has no match; 'none' for a person whose profile has no role.
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('mentee', 'mentor', 'none')),
    organisation_id TEXT COLLATE "C" NOT NULL,
    own_id TEXT COLLATE "C" NOT NULL,
    -- The entry for coordinators, with exact counts.
    document TEXT COLLATE "C" NOT NULL,
    -- The entry for the manager of the organisation, with counts of other organisations' people in bands.
    own_document TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (round_id, run_number, ordinal),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
);
CREATE UNIQUE INDEX run_unmatched_person ON run_unmatched (round_id, run_number, organisation_id, own_id, side);
CREATE INDEX run_unmatched_organisation ON run_unmatched (round_id, run_number, organisation_id, ordinal);

-- Leaves of the digests of a run whose content was destroyed with a person. The digests can still be computed.
CREATE TABLE run_leaf (
    round_id TEXT COLLATE "C" NOT NULL,
    run_number BIGINT NOT NULL,
    part TEXT COLLATE "C" NOT NULL CHECK (part IN ('input', 'open_input', 'match', 'unmatched', 'own_unmatched', 'below_minimum',
        'own_below_minimum', 'certificate', 'decision')),
    -- SHA-256 in hexadecimal.
    leaf TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (round_id, run_number, part, leaf),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number)
);

-- Decisions on pairs of a round: a pin (the pair must be) or a veto (it must not). They belong to the round, and hold in every run
-- that is started while they are in force. A decision is released and never deleted.
CREATE TABLE decision (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    -- Number of the change of the round's decisions that made it; the last segment of its name.
    number BIGINT NOT NULL CHECK (number >= 1),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('pin', 'veto')),
    -- Keyed hash of the pair: the id of its matches.
    pair_id TEXT COLLATE "C" NOT NULL,
    mentee_organisation_id TEXT COLLATE "C" NOT NULL,
    mentee_own_id TEXT COLLATE "C" NOT NULL,
    mentor_organisation_id TEXT COLLATE "C" NOT NULL,
    mentor_own_id TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    -- JSON of what it changed in the newest run at the time; NULL if no run could answer.
    cost TEXT COLLATE "C",
    -- Number of the change that released it; NULL while it is in force.
    release_number BIGINT CHECK (release_number > number),
    release_reason TEXT COLLATE "C",
    release_actor TEXT COLLATE "C",
    release_micros BIGINT,
    -- The same of its release.
    release_cost TEXT COLLATE "C",
    PRIMARY KEY (round_id, number),
    CHECK ((release_number IS NULL) = (release_micros IS NULL))
);
CREATE UNIQUE INDEX decision_live ON decision (round_id, pair_id) WHERE release_number IS NULL;
CREATE INDEX decision_mentee ON decision (mentee_organisation_id, mentee_own_id);
CREATE INDEX decision_mentor ON decision (mentor_organisation_id, mentor_own_id);

-- What reviewers have said of a pair of a round. A pair has a row from the first word on.
CREATE TABLE pair_review (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    pair_id TEXT COLLATE "C" NOT NULL,
    mentee_organisation_id TEXT COLLATE "C" NOT NULL,
    mentee_own_id TEXT COLLATE "C" NOT NULL,
    mentor_organisation_id TEXT COLLATE "C" NOT NULL,
    mentor_own_id TEXT COLLATE "C" NOT NULL,
    -- Number of the version, for the etag: every word and every decision on the pair gives a new one.
    version BIGINT NOT NULL CHECK (version >= 1),
    -- Who looked at the pair last and agreed, and when; NULL while nobody has, or after a contest since.
    mark_actor TEXT COLLATE "C",
    mark_micros BIGINT,
    -- Contests of organisations since the last mark.
    contests BIGINT NOT NULL CHECK (contests >= 0),
    comments BIGINT NOT NULL CHECK (comments >= 0),
    update_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, pair_id),
    CHECK ((mark_actor IS NULL) = (mark_micros IS NULL))
);
CREATE INDEX pair_review_mentee ON pair_review (mentee_organisation_id, mentee_own_id);
CREATE INDEX pair_review_mentor ON pair_review (mentor_organisation_id, mentor_own_id);

-- The words themselves, in the order of their numbers.
CREATE TABLE pair_comment (
    round_id TEXT COLLATE "C" NOT NULL,
    pair_id TEXT COLLATE "C" NOT NULL,
    -- Version of the review that it made. No caller reads it.
    number BIGINT NOT NULL CHECK (number >= 1),
    -- Last segment of its name: a keyed hash, from which nobody learns how much was said.
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('comment', 'mark', 'contest', 'objection', 'ask')),
    -- The organisation that contests or objects; NULL for reviewers.
    organisation_id TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, pair_id, number),
    UNIQUE (round_id, pair_id, id),
    CHECK ((organisation_id IS NOT NULL) = (kind IN ('contest', 'objection'))),
    FOREIGN KEY (round_id, pair_id) REFERENCES pair_review (round_id, pair_id)
);

-- Experts who are asked about pairs. The question is a comment of the pair.
CREATE TABLE pair_ask (
    round_id TEXT COLLATE "C" NOT NULL,
    pair_id TEXT COLLATE "C" NOT NULL,
    -- Id of the principal who is asked.
    expert TEXT COLLATE "C" NOT NULL,
    -- Number of the comment that asks her.
    number BIGINT NOT NULL,
    -- Who withdrew it, and when; NULL while she may read the pair and comment on it.
    withdraw_actor TEXT COLLATE "C",
    withdraw_micros BIGINT,
    PRIMARY KEY (round_id, pair_id, expert),
    FOREIGN KEY (round_id, pair_id, number) REFERENCES pair_comment (round_id, pair_id, number),
    CHECK ((withdraw_actor IS NULL) = (withdraw_micros IS NULL))
);
CREATE INDEX pair_ask_expert ON pair_ask (expert, round_id, pair_id) WHERE withdraw_micros IS NULL;

-- Runs that were proposed for publication, and what became of the proposal.
CREATE TABLE submission (
    round_id TEXT COLLATE "C" NOT NULL,
    -- Number among the submissions of the round, from 1.
    number BIGINT NOT NULL CHECK (number >= 1),
    run_number BIGINT NOT NULL,
    -- Digest of the result as coordinators read it.
    result_digest TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('submitted', 'approved', 'rejected', 'published', 'unpublished', 'superseded')),
    -- Approvals that it needs, by the policy of the round when it was submitted.
    required_approvals BIGINT NOT NULL CHECK (required_approvals >= 1),
    -- Until when organisations may object, from the last approval on; NULL before.
    object_until_micros BIGINT,
    body TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    publish_actor TEXT COLLATE "C",
    publish_micros BIGINT,
    -- Who rejected or unpublished it, why and when.
    end_actor TEXT COLLATE "C",
    end_reason TEXT COLLATE "C",
    end_micros BIGINT,
    PRIMARY KEY (round_id, number),
    FOREIGN KEY (round_id, run_number) REFERENCES run (round_id, number),
    CHECK ((state IN ('rejected', 'unpublished')) = (end_micros IS NOT NULL)),
    CHECK (state NOT IN ('published', 'unpublished', 'superseded') OR publish_micros IS NOT NULL)
);
-- A round has one proposal at a time, and one publication, whatever the code above does.
CREATE UNIQUE INDEX submission_live ON submission (round_id) WHERE state IN ('submitted', 'approved');
CREATE UNIQUE INDEX submission_published ON submission (round_id) WHERE state = 'published';
CREATE INDEX submission_run ON submission (round_id, run_number);

-- Who approved a submission: each principal once, and never its author.
CREATE TABLE approval (
    round_id TEXT COLLATE "C" NOT NULL,
    submission_number BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, submission_number, actor),
    FOREIGN KEY (round_id, submission_number) REFERENCES submission (round_id, number)
);

-- Published matches with a life. A publication makes them, and a repair's publication ends those whose pairs go. A pair has one
-- life in a round: one that was withdrawn before anybody had accepted begins anew if the pair is published again.
CREATE TABLE mentorship (
    round_id TEXT COLLATE "C" NOT NULL REFERENCES round (id),
    -- Keyed hash of the pair: the id of its matches.
    id TEXT COLLATE "C" NOT NULL,
    -- Number of the published run that made it.
    run_number BIGINT NOT NULL,
    mentee_organisation_id TEXT COLLATE "C" NOT NULL,
    mentee_own_id TEXT COLLATE "C" NOT NULL,
    mentor_organisation_id TEXT COLLATE "C" NOT NULL,
    mentor_own_id TEXT COLLATE "C" NOT NULL,
    -- Shown score of the match; NULL once one of the two people was erased.
    score BIGINT CHECK (score BETWEEN 0 AND 10000),
    -- By what reports group people, as the profiles were at the publication: codes of the M49 regions, career stage and best
    -- language of the mentee. What a person has not answered, and everything of an erased person, is NULL.
    mentee_region TEXT COLLATE "C",
    mentor_region TEXT COLLATE "C",
    mentee_stage BIGINT CHECK (mentee_stage BETWEEN 1 AND 7),
    mentee_language TEXT COLLATE "C",
    -- Days that the mentee had waited at the publication: since her first day on the waiting list, or since her enrolment.
    waited_days BIGINT CHECK (waited_days >= 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'active', 'paused', 'completed', 'ended_early',
        'withdrawn')),
    propose_micros BIGINT NOT NULL,
    respond_until_micros BIGINT NOT NULL,
    -- Answers of the two sides, each with who recorded it and when; NULL before. A reason is that of a decline.
    mentor_answer TEXT COLLATE "C" CHECK (mentor_answer IN ('accepted', 'declined')),
    mentor_reason TEXT COLLATE "C",
    mentor_actor TEXT COLLATE "C",
    mentor_answer_micros BIGINT,
    mentee_answer TEXT COLLATE "C" CHECK (mentee_answer IN ('accepted', 'declined')),
    mentee_reason TEXT COLLATE "C",
    mentee_actor TEXT COLLATE "C",
    mentee_answer_micros BIGINT,
    -- When both had accepted.
    accept_micros BIGINT,
    -- Day of the first meeting, with which the mentorship is active.
    first_meeting_date TEXT COLLATE "C",
    -- Since when it pauses; NULL while it does not.
    pause_micros BIGINT,
    -- When, why, by which side and by whom it ended. A publication ends it for no side.
    end_micros BIGINT,
    end_reason TEXT COLLATE "C",
    end_side TEXT COLLATE "C" CHECK (end_side IN ('mentor', 'mentee', 'both', 'organisation')),
    end_actor TEXT COLLATE "C",
    -- Number of the version, for the etag.
    version BIGINT NOT NULL CHECK (version >= 1),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, id),
    CHECK ((mentor_answer IS NULL) = (mentor_answer_micros IS NULL)),
    CHECK ((mentee_answer IS NULL) = (mentee_answer_micros IS NULL)),
    CHECK (state NOT IN ('accepted', 'active', 'paused', 'completed') OR accept_micros IS NOT NULL),
    CHECK (state NOT IN ('active', 'paused', 'completed') OR first_meeting_date IS NOT NULL),
    CHECK ((state = 'paused') = (pause_micros IS NOT NULL)),
    CHECK ((state IN ('proposed', 'accepted', 'active', 'paused')) = (end_micros IS NULL))
);
CREATE INDEX mentorship_mentee ON mentorship (mentee_organisation_id, mentee_own_id);
CREATE INDEX mentorship_mentor ON mentorship (mentor_organisation_id, mentor_own_id);
CREATE INDEX mentorship_of_mentees ON mentorship (mentee_organisation_id, round_id, id);
CREATE INDEX mentorship_of_mentors ON mentorship (mentor_organisation_id, round_id, id);
CREATE INDEX mentorship_ended ON mentorship (round_id, id) WHERE state IN ('declined', 'ended_early');
CREATE INDEX mentorship_live ON mentorship (round_id, id) WHERE state IN ('proposed', 'accepted', 'active', 'paused');

-- Follow-up records of mentorships, one of each side and point of the schedule. Both sides' records are kept, and each belongs to
-- the organisation of its side. What was not answered is NULL.
CREATE TABLE check_in (
    round_id TEXT COLLATE "C" NOT NULL,
    mentorship_id TEXT COLLATE "C" NOT NULL,
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('mentor', 'mentee')),
    point TEXT COLLATE "C" NOT NULL CHECK (point IN ('week_6', 'middle', 'end', 'month_12', 'month_24', 'month_36')),
    -- The organisation of the side.
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    check_date TEXT COLLATE "C" NOT NULL,
    meetings BIGINT CHECK (meetings BETWEEN 0 AND 1000),
    minutes BIGINT CHECK (minutes BETWEEN 0 AND 100000),
    satisfaction BIGINT CHECK (satisfaction BETWEEN 1 AND 5),
    recommend BIGINT CHECK (recommend BETWEEN 0 AND 10),
    goals_achieved BIGINT CHECK (goals_achieved BETWEEN 0 AND 100),
    goals_partly BIGINT CHECK (goals_partly BETWEEN 0 AND 100),
    goals_missed BIGINT CHECK (goals_missed BETWEEN 0 AND 100),
    instrument TEXT COLLATE "C" CHECK (instrument IN ('mfq_9', 'memeq', 'mecs', 'working_alliance')),
    instrument_version TEXT COLLATE "C",
    -- In hundredths of the scale's unit.
    instrument_score BIGINT CHECK (instrument_score BETWEEN 0 AND 1000000),
    promoted BIGINT CHECK (promoted IN (0, 1)),
    changed_role BIGINT CHECK (changed_role IN (0, 1)),
    in_sector BIGINT CHECK (in_sector IN (0, 1)),
    actor TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, mentorship_id, side, point),
    CHECK ((instrument IS NULL) = (instrument_score IS NULL)),
    FOREIGN KEY (round_id, mentorship_id) REFERENCES mentorship (round_id, id) ON UPDATE CASCADE
);
CREATE INDEX check_in_organisation ON check_in (organisation_id, round_id, mentorship_id, side, point);

-- Reminders that were given as events, each once.
CREATE TABLE mentorship_reminder (
    round_id TEXT COLLATE "C" NOT NULL,
    mentorship_id TEXT COLLATE "C" NOT NULL,
    -- Of what: the answer, the first meeting, or a point of the schedule.
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('answer', 'first_meeting', 'week_6', 'middle', 'end', 'month_12', 'month_24', 'month_36')),
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('mentor', 'mentee')),
    remind_micros BIGINT NOT NULL,
    PRIMARY KEY (round_id, mentorship_id, kind, side),
    FOREIGN KEY (round_id, mentorship_id) REFERENCES mentorship (round_id, id) ON UPDATE CASCADE
);

-- Mentees who left the waiting list, which is read from the published runs: nothing that was published before counts for them.
CREATE TABLE waiting_leave (
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    own_id TEXT COLLATE "C" NOT NULL,
    -- The principal who took her off the list last.
    actor TEXT COLLATE "C" NOT NULL,
    leave_micros BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, own_id)
);

-- Consultations: questions that the Alliance puts to its organisations. Nothing of one changes but the deadline and the state.
CREATE TABLE consultation (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- JSON of the texts, the questions and the draft on which the organisations are consulted.
    document TEXT COLLATE "C" NOT NULL,
    result_grouping TEXT COLLATE "C" NOT NULL CHECK (result_grouping IN ('organisation', 'region')),
    deadline_micros BIGINT NOT NULL,
    -- An open one whose deadline has passed is closed for everybody, whenever housekeeping writes so.
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed', 'cancelled')),
    cancel_reason TEXT COLLATE "C" CHECK ((cancel_reason IS NOT NULL) = (state = 'cancelled')),
    version BIGINT NOT NULL CHECK (version >= 1),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL
);
CREATE INDEX consultation_open ON consultation (deadline_micros) WHERE state = 'open';

-- The answer of each organisation, in its present form.
CREATE TABLE consultation_answer (
    consultation_id TEXT COLLATE "C" NOT NULL REFERENCES consultation (id),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    -- UN M49 code of the region of its seat when it answered: a later move changes no result.
    region TEXT COLLATE "C" NOT NULL,
    -- JSON of the chosen options and the comments.
    document TEXT COLLATE "C" NOT NULL,
    -- Who gave the answer in its present form.
    actor TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL,
    PRIMARY KEY (consultation_id, organisation_id)
);
CREATE INDEX consultation_answer_organisation ON consultation_answer (organisation_id);

-- Reports: numbers that are frozen at a moment. A report is only ever inserted: the triggers below refuse everything else.
CREATE TABLE report (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('round', 'programme', 'annual', 'committee')),
    -- The parts of its scope: one scope has its releases one after the other.
    round_id TEXT COLLATE "C" REFERENCES round (id),
    organisation_id TEXT COLLATE "C" REFERENCES organisation (id),
    year BIGINT,
    -- Number of the release of its scope, from 1.
    number BIGINT NOT NULL CHECK (number >= 1),
    -- Version of the list of parameters by which it counts.
    list_version BIGINT NOT NULL,
    -- Canonical JSON of its numbers, and its SHA-256 in hexadecimal.
    content TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    -- JSON of the true counts behind the published ones, by which the next release of the scope is made. No caller reads it.
    anchors TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    CHECK ((kind = 'round') = (round_id IS NOT NULL)),
    CHECK ((kind = 'annual') = (organisation_id IS NOT NULL)),
    CHECK ((kind IN ('annual', 'committee')) = (year IS NOT NULL))
);
CREATE UNIQUE INDEX report_release ON report (kind, COALESCE(round_id, ''), COALESCE(organisation_id, ''), COALESCE(year, 0), number);
CREATE INDEX report_organisation ON report (organisation_id, id);
CREATE INDEX report_round ON report (round_id);
CREATE FUNCTION report_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a report is immutable';
END $$;
CREATE TRIGGER report_rows BEFORE UPDATE OR DELETE ON report FOR EACH ROW EXECUTE FUNCTION report_is_immutable();
CREATE TRIGGER report_whole BEFORE TRUNCATE ON report FOR EACH STATEMENT EXECUTE FUNCTION report_is_immutable();

-- Erasures of people: what each has destroyed, under which id the counts remain, and by what an erased person is recognised
-- when she is imported again.
CREATE TABLE erasure (
    id TEXT COLLATE "C" PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    -- Her own id, until the erasure has ended.
    own_id TEXT COLLATE "C",
    -- The random id that enrolments and matches have in its place.
    surrogate TEXT COLLATE "C" NOT NULL UNIQUE,
    -- Keyed hash of the organisation and her own id.
    tombstone TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    -- JSON of what was destroyed.
    counts TEXT COLLATE "C" NOT NULL,
    create_micros BIGINT NOT NULL,
    end_micros BIGINT,
    -- Moment at which her organisation stated that she has come back: from then on she may be imported.
    return_micros BIGINT,
    CHECK ((own_id IS NULL) = (end_micros IS NOT NULL))
);
CREATE UNIQUE INDEX erasure_tombstone ON erasure (organisation_id, tombstone) WHERE return_micros IS NULL;
CREATE INDEX erasure_organisation ON erasure (organisation_id, id);
CREATE INDEX erasure_open ON erasure (create_micros) WHERE end_micros IS NULL;

-- Who calls: a person, known by a handle that she chose, or a service.
CREATE TABLE principal (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'service')),
    handle TEXT COLLATE "C" NOT NULL UNIQUE,
    -- JSON list of BCP 47 tags, the best first.
    languages TEXT COLLATE "C" NOT NULL,
    -- Name of the time zone database; empty if not said.
    time_zone TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    create_micros BIGINT NOT NULL,
    update_micros BIGINT NOT NULL
);

-- A role of a principal, for one organisation or for the alliance.
CREATE TABLE role_grant (
    id TEXT COLLATE "C" PRIMARY KEY,
    principal_id TEXT COLLATE "C" NOT NULL REFERENCES principal (id),
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('secretariat', 'coordinator', 'organisation-manager', 'expert',
        'committee-member', 'service', 'operations')),
    organisation_id TEXT COLLATE "C" REFERENCES organisation (id),
    from_micros BIGINT NOT NULL,
    -- The grant ends by itself at this moment; NULL without such an end.
    until_micros BIGINT CHECK (until_micros > from_micros),
    -- The moment at which somebody ended the grant. It is ended for ever, whatever the clock says.
    end_micros BIGINT,
    create_micros BIGINT NOT NULL,
    CHECK (role <> 'organisation-manager' OR organisation_id IS NOT NULL),
    CHECK (role IN ('organisation-manager', 'expert', 'service') OR organisation_id IS NULL)
);
CREATE INDEX role_grant_principal ON role_grant (principal_id, id);
CREATE INDEX role_grant_organisation ON role_grant (organisation_id);

-- What a principal shows to be known.
CREATE TABLE credential (
    id TEXT COLLATE "C" PRIMARY KEY,
    principal_id TEXT COLLATE "C" NOT NULL REFERENCES principal (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('token', 'jwt', 'certificate')),
    -- Hash of a token; JSON of issuer and subject of a JWT; fingerprint of a certificate.
    identity TEXT COLLATE "C" NOT NULL,
    -- The part that people may see.
    prefix TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    expire_micros BIGINT,
    revoke_micros BIGINT,
    -- When it last opened a call, to the minute and a minute late.
    use_micros BIGINT,
    create_micros BIGINT NOT NULL,
    UNIQUE (kind, identity)
);
CREATE INDEX credential_principal ON credential (principal_id, id);

-- Invitations: whoever shows the secret first becomes a principal with the roles.
CREATE TABLE invitation (
    id TEXT COLLATE "C" PRIMARY KEY,
    secret_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    -- JSON list of roles, each with its beginning and its end.
    grants TEXT COLLATE "C" NOT NULL,
    expire_micros BIGINT NOT NULL,
    redeem_micros BIGINT,
    principal_id TEXT COLLATE "C" REFERENCES principal (id),
    -- Who created it: the id of a principal, or 'operator'.
    actor TEXT COLLATE "C" NOT NULL,
    cancel_micros BIGINT CHECK (cancel_micros IS NULL OR redeem_micros IS NULL),
    create_micros BIGINT NOT NULL,
    CHECK ((redeem_micros IS NULL) = (principal_id IS NULL))
);
CREATE INDEX invitation_principal ON invitation (principal_id);
CREATE INDEX invitation_actor ON invitation (actor, id);
CREATE INDEX invitation_expiry ON invitation (expire_micros);

-- Sessions of the console: whoever shows the secret acts as the principal, in one of her roles.
CREATE TABLE console_session (
    id TEXT COLLATE "C" PRIMARY KEY,
    secret_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    principal_id TEXT COLLATE "C" NOT NULL REFERENCES principal (id),
    -- The grant in which she acts. A session ends with its grant.
    grant_id TEXT COLLATE "C" NOT NULL REFERENCES role_grant (id),
    sign_in TEXT COLLATE "C" NOT NULL CHECK (sign_in IN ('token', 'passkey')),
    -- The language of the pages, as a BCP 47 tag.
    lang TEXT COLLATE "C" NOT NULL,
    -- When she last proved who she is.
    proof_micros BIGINT NOT NULL,
    use_micros BIGINT NOT NULL,
    create_micros BIGINT NOT NULL
);
CREATE INDEX console_session_principal ON console_session (principal_id, id);
CREATE INDEX console_session_grant ON console_session (grant_id);
CREATE INDEX console_session_age ON console_session (create_micros);

-- First answers by request_id.
CREATE TABLE idempotency (
    principal_id TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    payload_digest TEXT COLLATE "C" NOT NULL,
    response BYTEA NOT NULL,
    create_micros BIGINT NOT NULL,
    PRIMARY KEY (principal_id, request_id)
);
CREATE INDEX idempotency_age ON idempotency (create_micros);

-- Who changed what, and when: the audit, and the outbox of events. Only ever appended to. An entry is written in the
-- transaction of its change; soon after, it is sealed: it gets its place in the one chain of hashes (src/domain/audit.rs),
-- which is also its place in the stream of events. The triggers below refuse everything else.
CREATE TABLE journal (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    create_micros BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    organisation_id TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    -- Version of the resource after the change, if it has versions.
    version BIGINT,
    -- Codes, counts and ids, never an answer of a person.
    detail TEXT COLLATE "C" NOT NULL,
    position BIGINT UNIQUE,
    hash TEXT COLLATE "C",
    CHECK ((position IS NULL) = (hash IS NULL))
);
CREATE INDEX journal_time ON journal (create_micros, sequence);
CREATE INDEX journal_actor ON journal (actor, create_micros, sequence);
CREATE INDEX journal_resource ON journal (resource, create_micros, sequence);
CREATE INDEX journal_organisation ON journal (organisation_id, create_micros, sequence);

-- The end of the chain, and its beginning: the last entry that retention has deleted. Position 0 is before the first entry.
CREATE TABLE journal_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    cut_position BIGINT NOT NULL CHECK (cut_position BETWEEN 0 AND position),
    cut_hash TEXT COLLATE "C" NOT NULL
);
INSERT INTO journal_head (id, position, hash, cut_position, cut_hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- An entry is sealed once, and deleted only up to the cut, which an entry names.
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'the journal is append-only';
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.position IS NOT NULL THEN RAISE EXCEPTION 'an entry is sealed after its transaction'; END IF;
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NOT NULL
            OR ROW(OLD.sequence, OLD.create_micros, OLD.actor, OLD.organisation_id, OLD.action, OLD.resource, OLD.version, OLD.detail) IS DISTINCT FROM
               ROW(NEW.sequence, NEW.create_micros, NEW.actor, NEW.organisation_id, NEW.action, NEW.resource, NEW.version, NEW.detail) THEN
            RAISE EXCEPTION 'the journal is append-only';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.position IS NULL OR OLD.position > (SELECT cut_position FROM journal_head WHERE id = 1) THEN
        RAISE EXCEPTION 'the journal is append-only';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER journal_rows BEFORE INSERT OR UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_whole BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE FUNCTION journal_cut_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.position < OLD.position OR NEW.cut_position < OLD.cut_position THEN
        RAISE EXCEPTION 'the head of the journal only moves on';
    END IF;
    IF NEW.cut_position > OLD.cut_position AND NOT EXISTS (SELECT 1 FROM journal WHERE action = 'journal.purge'
        AND resource = 'journal/' || NEW.cut_position || '-' || NEW.cut_hash) THEN
        RAISE EXCEPTION 'an entry must name the cut of the journal';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_head_rows BEFORE UPDATE OR DELETE ON journal_head
    FOR EACH ROW EXECUTE FUNCTION journal_cut_is_signed();

-- Secrets of the service, made when they are first needed.
CREATE TABLE service_key (
    name TEXT COLLATE "C" PRIMARY KEY,
    -- 32 random bytes in hexadecimal.
    secret TEXT COLLATE "C" NOT NULL
);

-- The one row that the readiness check writes.
CREATE TABLE write_probe (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Number of checks so far; only the change matters.
    writes BIGINT NOT NULL
);
INSERT INTO write_probe (id, writes) VALUES (1, 0);

-- The second wall. The setting `wim.organisations` of a transaction says whose rows exist for it: `,wim-chile,wim-peru,`, or `*`
-- for all. Without the setting no row exists. The store makes it at the beginning of each transaction, from the scope of the
-- call. The policies bind the owner of the tables too. They do not bind a superuser or a role with BYPASSRLS: the service
-- connects as neither.
DO $$
DECLARE
    -- A subquery, which is evaluated once for each statement and not for each row.
    scope CONSTANT TEXT := '(SELECT current_setting(''wim.organisations'', true))';
    rule RECORD;
    condition TEXT;
BEGIN
    FOR rule IN SELECT * FROM (VALUES
        ('organisation', 'own(id)'),
        ('profile_import', 'own(organisation_id)'),
        ('profile_version', 'own(organisation_id)'),
        ('profile_restriction', 'own(organisation_id)'),
        ('enrolment', 'own(organisation_id)'),
        ('enrolment_count', 'own(organisation_id)'),
        ('run_organisation', 'own(organisation_id)'),
        ('run_own_summary', 'own(organisation_id)'),
        ('run_unmatched', 'own(organisation_id)'),
        ('run_match', 'own(mentee_organisation_id) OR own(mentor_organisation_id)'),
        -- What reviewers say of pairs is theirs. An organisation reads what it has said itself.
        ('decision', 'false'),
        ('pair_review', 'own(mentee_organisation_id) OR own(mentor_organisation_id)'),
        ('pair_comment', 'own(organisation_id)'),
        ('pair_ask', 'false'),
        ('round_organisation', 'own(organisation_id)'),
        ('waiting_leave', 'own(organisation_id)'),
        -- A check-in belongs to the organisation of its side. The service alone remembers of what it has reminded.
        ('mentorship', 'own(mentee_organisation_id) OR own(mentor_organisation_id)'),
        ('check_in', 'own(organisation_id)'),
        ('mentorship_reminder', 'false'),
        ('erasure', 'own(organisation_id)'),
        -- Every organisation reads the consultations, and its own answers. The service alone reads all answers of one.
        ('consultation', 'any_scope'),
        ('consultation_answer', 'own(organisation_id)'),
        -- An organisation reads the reports about itself.
        ('report', 'own(organisation_id)'),
        -- What belongs to a round exists for the organisations that are invited to it.
        ('round', 'EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = round.id)'),
        ('policy', 'EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = policy.round_id)'),
        ('run', 'EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = run.round_id)'),
        ('submission', 'EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = submission.round_id)'),
        ('approval', 'EXISTS (SELECT 1 FROM round_organisation i WHERE i.round_id = approval.round_id)'),
        -- Who calls belongs to the alliance.
        ('principal', 'false'),
        ('credential', 'false'),
        ('invitation', 'false'),
        ('role_grant', 'false'),
        ('console_session', 'false'),
        ('service_key', 'false'),
        -- The service alone computes digests.
        ('run_leaf', 'false'),
        -- An entry of no organisation is about a thing of the alliance. Those about a round are for the invited organisations, those
        -- about a consultation for all.
        ('journal', 'own(organisation_id) OR (organisation_id IS NULL AND resource LIKE ''consultations/%'' AND any_scope)
            OR (organisation_id IS NULL AND resource LIKE ''rounds/%'' AND EXISTS
            (SELECT 1 FROM round_organisation i WHERE i.round_id = split_part(resource, ''/'', 2)))'),
        ('journal_head', 'any_scope')
    ) AS rules (name, visible) LOOP
        condition := regexp_replace(rule.visible, 'own\((\w+)\)', 'strpos(' || scope || ', '','' || \1 || '','') > 0', 'g');
        condition := replace(condition, 'any_scope', scope || ' <> ''''');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY scope ON %I USING (%s = ''*'' OR %s)', rule.name, scope, condition);
    END LOOP;
    -- A first answer exists for the principal whose request it answered, and for no scope of organisations. The setting
    -- `wim.principal` of a transaction names her; `*` is the service itself.
    ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY principal ON idempotency USING ((SELECT current_setting('wim.principal', true)) IN ('*', principal_id));
END $$;
