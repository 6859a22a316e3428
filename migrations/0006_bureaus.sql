-- Bureaus (征信机构), their titles and the protection of the way to them, as
-- configuration named them last. Days are written 2026-01-31, at +08:00.
CREATE TABLE bureaus (
    bureau TEXT PRIMARY KEY,
    licence_kind TEXT NOT NULL,
    licence_number TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    revoked_on TEXT,
    transport TEXT NOT NULL,
    -- A way without TLS: why, who answers for it, and its last day.
    exception_reason TEXT,
    exception_owner TEXT,
    exception_until TEXT,
    changed_at BIGINT NOT NULL
);

-- Inquiries dispatched on a day at +08:00, where a quota limits them. The
-- scope is bureau, institution or operator, the holder its identifier.
CREATE TABLE quota_counts (
    bureau TEXT NOT NULL,
    scope TEXT NOT NULL,
    holder TEXT NOT NULL,
    day TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (bureau, scope, holder, day)
);

-- The last serial number that was reserved for messages of an institution on a
-- day.
CREATE TABLE serials (
    institution TEXT NOT NULL,
    bureau TEXT NOT NULL,
    day TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (institution, bureau, day)
);
