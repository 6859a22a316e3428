-- Who may use the gateway, for which institution (机构), in which role.

CREATE TABLE institutions (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- What kind of house it is, in its own words: for people, not for rules.
    profile TEXT NOT NULL,
    since BIGINT NOT NULL
);

-- One row per human. It is locked while roles of that human change, so that two
-- accounts of one person cannot be granted exclusive roles at the same moment.
CREATE TABLE people (
    person TEXT PRIMARY KEY
);

-- An account of a person at an institution.
CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL REFERENCES institutions (id),
    person TEXT NOT NULL REFERENCES people (person),
    label TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    since BIGINT NOT NULL,
    -- The first moment at which it may do nothing any more.
    ends BIGINT,
    UNIQUE (institution, label)
);
CREATE INDEX operators_by_person ON operators (person);

-- Roles, with their history. Without revoked_at a grant is live.
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    operator TEXT NOT NULL REFERENCES operators (id),
    role TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    revoked_by TEXT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX grants_live ON grants (operator, role) WHERE revoked_at IS NULL;

-- Bearer tokens of people; the token itself is shown once and not kept.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    operator TEXT NOT NULL REFERENCES operators (id),
    sha256 BYTEA NOT NULL UNIQUE,
    issued_by TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    -- The first moment at which it is worth nothing.
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_operator ON tokens (operator);

-- Machine clients, known by the SHA-256 of their public key. A key that was
-- revoked never comes back: the digest stays taken.
CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    institution TEXT NOT NULL REFERENCES institutions (id),
    label TEXT NOT NULL,
    role TEXT NOT NULL,
    key_sha256 BYTEA NOT NULL UNIQUE,
    registered_by TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    revoked_by TEXT,
    revoked_at BIGINT
);
CREATE INDEX clients_by_institution ON clients (institution);
