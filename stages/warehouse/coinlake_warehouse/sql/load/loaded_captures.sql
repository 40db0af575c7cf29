-- Puts the batch's captures on record; one that was loaded before stays with the batch that had it first.
-- What has no position is no capture of the lake, but a message that could not be read.
INSERT INTO loaded_captures (position, capture_id, source, dataset, slot, batch_id)
SELECT position, capture_id, source, dataset, slot, %(batch_id)s
FROM staged_captures
WHERE position IS NOT NULL
ON CONFLICT DO NOTHING
