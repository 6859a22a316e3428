-- The audit log. Hashes of the head are hexadecimal text, so that one spelling
-- of this file serves both databases.

-- Entries. An entry without idx is durable and waits for its place in the tree
-- (PostgreSQL only; SQLite gives it in the same transaction).
CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY,
    idx BIGINT UNIQUE,
    leaf BYTEA NOT NULL,
    body BYTEA NOT NULL,
    -- The entry's `ref`: what evidence is gathered by.
    about TEXT
);
CREATE INDEX audit_entries_about ON audit_entries (about);
CREATE INDEX audit_entries_waiting ON audit_entries (id) WHERE idx IS NULL;

-- One row: size and root of the tree, the frontier that appends to it, and the
-- epoch of whoever may move them.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root TEXT NOT NULL,
    frontier TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    -- The public key that signs this log, once it is known.
    vkey TEXT
);
INSERT INTO audit_head (id, size, root, frontier, epoch)
VALUES (1, 0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 0);

-- Full tiles: 256 hashes, and the root over them.
CREATE TABLE audit_tiles (
    level BIGINT NOT NULL,
    n BIGINT NOT NULL,
    root BYTEA NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, n)
);

-- Every checkpoint that was signed.
CREATE TABLE audit_checkpoints (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL
);
