-- What became of the last change of an institution's password at a bureau, and
-- when: `sent`, `changed`, `unchanged`, `unknown`. The password itself stands in
-- a file only.
CREATE TABLE bureau_passwords (
    institution TEXT NOT NULL,
    bureau TEXT NOT NULL,
    fate TEXT NOT NULL,
    -- When a change succeeded last.
    changed_at BIGINT,
    PRIMARY KEY (institution, bureau)
);
