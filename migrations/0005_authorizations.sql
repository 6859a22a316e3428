-- What subjects allow. No column holds a name or a number in clear: the signer
-- and the original are sealed under the subject's key.

-- A version of a policy text, as subjects sign it. Versions never change.
CREATE TABLE policy_versions (
    institution TEXT NOT NULL REFERENCES institutions (id),
    policy TEXT NOT NULL,
    version TEXT NOT NULL,
    text_sha256 BYTEA NOT NULL,
    -- YYYY-MM-DD at +08:00.
    first_day TEXT NOT NULL,
    -- Whether subjects must sign anew because of it.
    material BOOLEAN NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (institution, policy, version)
);

-- When a subject is a member (用户) of an institution.
CREATE TABLE memberships (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL REFERENCES institutions (id),
    subject TEXT NOT NULL REFERENCES subjects (id),
    starts BIGINT NOT NULL,
    -- The first moment after it.
    ends BIGINT,
    -- When that was recorded.
    ended_at BIGINT
);
CREATE UNIQUE INDEX memberships_open ON memberships (subject, institution) WHERE ends IS NULL;
CREATE INDEX memberships_by_subject ON memberships (subject, institution);

-- Originals of authorizations. Never changed once stored.
CREATE TABLE evidence (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES subjects (id),
    sealed BYTEA NOT NULL,
    sealed_sha256 BYTEA NOT NULL,
    plain_sha256 BYTEA NOT NULL,
    stored_at BIGINT NOT NULL
);
CREATE INDEX evidence_by_subject ON evidence (subject);

CREATE TABLE authorizations (
    id TEXT PRIMARY KEY,
    -- The grantee.
    institution TEXT NOT NULL REFERENCES institutions (id),
    -- By which the recording system knows it.
    external_ref TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES subjects (id),
    -- inquire, provide
    kind TEXT NOT NULL,
    -- JSON arrays of names.
    bureaus TEXT NOT NULL,
    purposes TEXT NOT NULL,
    categories TEXT NOT NULL,
    -- Document and name as on the form, sealed; NULL is a blank, as in all of
    -- what the form says.
    signer BYTEA,
    signed_at BIGINT,
    -- Days at +08:00, both included; without them, while a member.
    valid_from TEXT,
    valid_until TEXT,
    policy TEXT,
    policy_version TEXT,
    subjects_on_form BIGINT NOT NULL,
    evidence TEXT REFERENCES evidence (id),
    recorded_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    withdrawn_by TEXT,
    -- The first moment at which it is withdrawn.
    withdrawn_at BIGINT,
    UNIQUE (institution, external_ref),
    CHECK ((valid_from IS NULL) = (valid_until IS NULL))
);
CREATE INDEX authorizations_by_subject ON authorizations (subject, institution);
