-- Puts a finished verification on record.
INSERT INTO coinlake.verifications (
    finished_at, seconds, is_whole, captures, pending, missing, doubled, different, extra, damaged, lost
)
VALUES (
    %(finished_at)s, %(seconds)s, %(is_whole)s, %(captures)s, %(pending)s, %(missing)s, %(doubled)s,
    %(different)s, %(extra)s, %(damaged)s, %(lost)s
)
