-- Which record took the place of another.
CREATE INDEX submission_records_corrections
    ON submission_records (corrects_submission, corrects_seq)
    WHERE corrects_submission IS NOT NULL;
