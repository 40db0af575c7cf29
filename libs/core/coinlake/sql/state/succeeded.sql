-- Every answer of a slot is stored.
UPDATE feeds
SET last_slot = :slot, last_success_at = :at, last_error = NULL, failures = 0
WHERE source = :source AND dataset = :dataset;
