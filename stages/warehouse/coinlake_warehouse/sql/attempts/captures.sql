-- The captures of the named attempts. A message that came twice is one capture.
INSERT INTO staged_captures
SELECT DISTINCT ON (capture_id) position, capture_id, source, dataset, slot, received_at
FROM staging_captures
WHERE attempt = ANY (%(attempts)s)
ORDER BY capture_id, position
