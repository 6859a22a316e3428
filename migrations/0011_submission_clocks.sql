-- Clocks run on records that were set aside, too.
CREATE INDEX submission_records_set_aside ON submission_records (submission, seq)
    WHERE state = 'set_aside';
