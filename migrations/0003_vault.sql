-- Keys that belong to no subject, each wrapped under a master key: those of the
-- blind index, and the one for what has no subject.
CREATE TABLE vault_keys (
    id BIGINT PRIMARY KEY,
    use TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    master_version BIGINT NOT NULL,
    made_at BIGINT NOT NULL
);

-- A subject (信息主体). After erasure only the random id and the times stay.
CREATE TABLE subjects (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- HMAC of the document under the blind key; the reference keeps a blind
    -- key from going while a subject is found by it.
    blind BYTEA UNIQUE,
    blind_key BIGINT REFERENCES vault_keys (id),
    -- Data key and salt, wrapped together under a master key.
    keys BYTEA,
    master_version BIGINT,
    -- Document and name, sealed under the data key.
    identity BYTEA,
    made_at BIGINT NOT NULL,
    erased_at BIGINT
);
CREATE INDEX subjects_by_blind_key ON subjects (blind_key);
CREATE INDEX subjects_by_master_version ON subjects (master_version);

-- What was erased and why: after a restored backup it is done again.
CREATE TABLE erasures (
    subject TEXT PRIMARY KEY,
    erased_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
