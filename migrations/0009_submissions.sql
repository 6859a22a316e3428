-- Submissions (报送) and the ledger (台账). No column holds a personal datum in
-- clear: records are sealed under their subject's key, accounts are found by a
-- keyed digest.

-- What a bureau last accepted of an account (账户), in few words; the records
-- themselves say the rest.
CREATE TABLE accounts (
    id BIGINT PRIMARY KEY,
    institution TEXT NOT NULL,
    bureau TEXT NOT NULL,
    -- The type of its normal record: 110, 210.
    family TEXT NOT NULL,
    -- HMAC of its key under a blind key of the vault; none once its subject is
    -- erased. The reference keeps a blind key from going while an account is
    -- found by it.
    blind BYTEA,
    blind_key BIGINT REFERENCES vault_keys (id),
    -- The key itself, sealed under the subject's key.
    code BYTEA,
    subject TEXT NOT NULL REFERENCES subjects (id),
    -- new, open, closed, transferred, deleted
    state TEXT NOT NULL,
    account_type TEXT,
    opened_on TEXT,
    -- The latest report date and month that the bureau accepted.
    reported_on TEXT,
    month TEXT,
    -- The latest report date that it accepted of that month.
    month_on TEXT,
    -- The latest month accepted without negative state, and the run of negative
    -- state that is going on.
    clean_month TEXT,
    negative_run TEXT,
    -- The record that stands for its state at the bureau.
    accepted_submission BIGINT,
    accepted_seq BIGINT,
    -- The record under way: at most one, until the bureau has answered.
    pending_submission BIGINT,
    pending_seq BIGINT,
    changed_at BIGINT NOT NULL,
    -- In the order in which many are looked up at once.
    UNIQUE (institution, bureau, blind, family)
);
CREATE INDEX accounts_by_subject ON accounts (subject);
CREATE INDEX accounts_by_blind_key ON accounts (blind_key);

-- One job that takes in records.
CREATE TABLE submissions (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    institution TEXT NOT NULL,
    bureau TEXT NOT NULL,
    client TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    submitter TEXT NOT NULL,
    submitter_person TEXT NOT NULL,
    -- jsonl, csv, and the record type of a CSV.
    format TEXT NOT NULL,
    record TEXT,
    -- receiving, taken
    state TEXT NOT NULL,
    -- Records taken in durably, and the chain of digests over them.
    taken BIGINT NOT NULL,
    chain_sha256 BYTEA NOT NULL,
    set_aside BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    ended_at BIGINT,
    receipt TEXT NOT NULL,
    UNIQUE (institution, client, idempotency_key)
);
CREATE INDEX submissions_by_time ON submissions (institution, received_at, no);

-- One record. The row is the work list, too.
CREATE TABLE submission_records (
    submission BIGINT NOT NULL REFERENCES submissions (no),
    -- Its place in the input, counted from 1.
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    account BIGINT REFERENCES accounts (id),
    subject TEXT REFERENCES subjects (id),
    -- set_aside, held, ready, filed, accepted, rejected, stopped, replaced, withdrawn
    state TEXT NOT NULL,
    report_date TEXT,
    -- JSON: the holds, by code; the findings, without values.
    holds TEXT,
    findings TEXT,
    -- The line, deflated and sealed under the subject's key; what has no
    -- subject, as it came, under the house key.
    sealed BYTEA NOT NULL,
    sealed_sha256 BYTEA NOT NULL,
    file BIGINT,
    line BIGINT,
    -- JSON: the bureau's codes, with the tags they name.
    answer TEXT,
    corrects_submission BIGINT,
    corrects_seq BIGINT,
    -- The dispute by which it is marked.
    dispute TEXT,
    PRIMARY KEY (submission, seq)
);
CREATE INDEX submission_records_by_file ON submission_records (file, line);
CREATE INDEX submission_records_by_account ON submission_records (account, submission, seq);
CREATE INDEX submission_records_by_subject ON submission_records (subject);
CREATE INDEX submission_records_waiting ON submission_records (state, record, submission, seq)
    WHERE state IN ('held', 'ready', 'rejected');

-- One mandated file. Name and serial are used once, for ever.
CREATE TABLE submission_files (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    institution TEXT NOT NULL,
    bureau TEXT NOT NULL,
    record TEXT NOT NULL,
    -- Of creation, at +08:00, yyyyMMdd and yyyyMMddHHmmss.
    day TEXT NOT NULL,
    created TEXT NOT NULL,
    serial BIGINT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    -- reserved, written, sending, delivered, arrived, answered, refused, stopped
    state TEXT NOT NULL,
    records BIGINT NOT NULL,
    -- Of the text, and of the sealed bytes: frozen before delivery.
    plain_sha256 BYTEA,
    sealed_sha256 BYTEA,
    sealed_bytes BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    reserved_at BIGINT NOT NULL,
    sent_at BIGINT,
    arrived_at BIGINT,
    answered_at BIGINT,
    -- Why it waits for a person, or the code that refused it whole.
    cause TEXT,
    accepted BIGINT,
    rejected BIGINT,
    receipt TEXT NOT NULL,
    UNIQUE (institution, bureau, record, day, serial)
);
CREATE INDEX submission_files_by_state ON submission_files (state, no);

-- Feedback (反馈) files, as they came: sealed as in transport, by digest.
CREATE TABLE submission_feedback (
    name TEXT NOT NULL,
    sealed_sha256 BYTEA NOT NULL,
    file BIGINT REFERENCES submission_files (no),
    -- taken, or why not
    outcome TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (name, sealed_sha256)
);

-- Prior notices (告知) of negative information.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES subjects (id),
    account BIGINT NOT NULL REFERENCES accounts (id),
    -- The month that the unpaid amount was due in: 2026-10.
    due_period TEXT NOT NULL,
    channel TEXT NOT NULL,
    delivered_at BIGINT NOT NULL,
    proof BYTEA,
    proof_sha256 BYTEA,
    -- The run of negative state that it served.
    run TEXT,
    recorded_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX notices_by_account ON notices (account, due_period);

-- Disputes (异议) that are open on an account.
CREATE TABLE disputes (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    -- By which the institution knows it, and records bear it as their mark.
    number TEXT NOT NULL,
    account BIGINT NOT NULL REFERENCES accounts (id),
    opened_by TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_by TEXT,
    closed_at BIGINT,
    UNIQUE (institution, number)
);
CREATE INDEX disputes_by_account ON disputes (account) WHERE closed_at IS NULL;
