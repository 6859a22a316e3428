-- What must still hold when a record becomes a line of a file, so that it can
-- be looked at without opening it: the categories that an authorization to
-- provide must name, with commas between. None where the duty to go on carries
-- the record.
ALTER TABLE submission_records ADD COLUMN needs TEXT;

-- What waits is judged again, submission by submission.
CREATE INDEX submission_records_held ON submission_records (submission, seq)
    WHERE state = 'held';

-- Most of their life records are of no file.
DROP INDEX submission_records_by_file;
CREATE INDEX submission_records_by_file ON submission_records (file, line)
    WHERE file IS NOT NULL;
