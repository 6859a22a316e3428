-- Sealed payloads that were destroyed on purpose, by the place that audit
-- entries name: what is missing without standing here was taken away.
CREATE TABLE erased_payloads (
    place TEXT PRIMARY KEY,
    subject TEXT NOT NULL
);
