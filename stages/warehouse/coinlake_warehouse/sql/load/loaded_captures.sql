-- Puts the batch's captures on record; one that was loaded before stays with the batch that had it first.
INSERT INTO loaded_captures (position, capture_id, source, dataset, slot, batch_id)
SELECT position, capture_id, source, dataset, slot, %(batch_id)s
FROM staged_captures
ON CONFLICT DO NOTHING
