-- The newest verification of all captures.
SELECT finished_at, seconds, captures, pending, missing, doubled, different, extra, damaged, lost
FROM verifications
WHERE is_whole
ORDER BY verification_id DESC
LIMIT 1;
