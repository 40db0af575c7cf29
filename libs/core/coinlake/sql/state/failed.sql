-- A slot was given up.
UPDATE feeds
SET last_slot = :slot, last_error = :error, failures = failures + 1
WHERE source = :source AND dataset = :dataset;
