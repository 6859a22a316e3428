-- Types are those that SQLite and PostgreSQL both know: TEXT, BIGINT (also for
-- times: UTC microseconds), BOOLEAN, BYTEA, DOUBLE PRECISION.

-- One row: which start of the server owns the database. Dispatch checks it, so
-- that a server that lost its lock without knowing cannot send.
CREATE TABLE ownership (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL,
    taken_at BIGINT NOT NULL
);
INSERT INTO ownership (id, epoch, taken_at) VALUES (1, 0, 0);
