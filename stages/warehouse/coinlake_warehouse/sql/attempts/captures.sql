-- The captures of the named attempts. A message that came twice is one capture; one capture at two positions
-- is on record at both, so that a stranger's claim never takes the place of the true one.
INSERT INTO staged_captures
SELECT DISTINCT ON (capture_id, position) position, capture_id, source, dataset, slot, received_at
FROM {staging_captures}
WHERE attempt = ANY (%(attempts)s)
ORDER BY capture_id, position
