-- While a file whose name was given up still has lines, they are on their way
-- out: what was cut goes on.
ALTER TABLE submission_files ADD COLUMN giving_up BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX submission_files_giving_up ON submission_files (no) WHERE giving_up;
