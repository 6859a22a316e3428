-- While a record that renames an account (变更标识) is under way, the new name is
-- reserved: an account stands for the name alone, under way of it is the record,
-- and what comes under the name waits behind that. Once the bureau has accepted
-- the rename, its records are those of the account that got the name, and it has
-- no name any more.
--
-- Numbers of accounts, without REFERENCES: with them SQLite would go through all
-- accounts at every insertion of several.
ALTER TABLE accounts ADD COLUMN reserved_for BIGINT;
ALTER TABLE accounts ADD COLUMN became BIGINT;
CREATE INDEX accounts_reserved ON accounts (reserved_for) WHERE reserved_for IS NOT NULL;
