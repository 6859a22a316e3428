-- An inquiry (查询). No column holds a personal datum: the subject is a random
-- number, reasons and findings are rule ids and codes.
CREATE TABLE inquiries (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    subject TEXT NOT NULL,
    bureau TEXT NOT NULL,
    product TEXT NOT NULL,
    purpose TEXT NOT NULL,
    business_ref TEXT NOT NULL,
    requester TEXT NOT NULL,
    requester_person TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    -- The authorization (授权) that the last decision relied on.
    authorization_id TEXT,
    -- JSON: what the last decision found against it, and why it is on hold.
    reasons TEXT,
    checker TEXT,
    checker_person TEXT,
    checked_at BIGINT,
    -- Dispatches so far; only a provably unsent one may be followed by another.
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Which start of the server dispatched it: what is not ours is unknown.
    epoch BIGINT,
    dispatched_at BIGINT,
    -- The identifier of the message at the bureau.
    message_id TEXT,
    ended_at BIGINT,
    -- hit, no_hit, partial; recorded, not_recorded after reconciliation.
    outcome TEXT,
    -- The bureau's result code, as it came.
    bureau_code TEXT,
    -- Stable code of what went wrong on the way.
    cause TEXT,
    -- The inquiry whose loss two persons decided to mend by asking again.
    asks_again_for TEXT,
    -- The entry that stands for its last change in the audit log.
    receipt TEXT NOT NULL
);
CREATE INDEX inquiries_by_time ON inquiries (institution, received_at, id);
CREATE INDEX inquiries_by_subject ON inquiries (subject, institution, received_at);
CREATE INDEX inquiries_by_state ON inquiries (state, received_at);
CREATE INDEX inquiries_by_requester ON inquiries (institution, requester, received_at);
CREATE INDEX inquiries_by_message ON inquiries (bureau, message_id);

-- One key of one client of one institution stands for one request.
CREATE TABLE idempotency_keys (
    institution TEXT NOT NULL,
    client TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 BYTEA NOT NULL,
    inquiry TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (institution, client, idempotency_key)
);

-- What the bureau answered, sealed under the subject's key.
CREATE TABLE answers (
    inquiry TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sealed_sha256 BYTEA NOT NULL,
    kept_at BIGINT NOT NULL
);
CREATE INDEX answers_by_subject ON answers (subject);

-- One person proposes to ask again after an unknown outcome, another agrees.
CREATE TABLE second_asks (
    inquiry TEXT PRIMARY KEY,
    proposer TEXT NOT NULL,
    proposer_person TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    agreed_by TEXT,
    agreed_at BIGINT,
    successor TEXT
);
