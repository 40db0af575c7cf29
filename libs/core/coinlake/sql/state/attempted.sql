-- A slot is about to be fetched; it is not finished, so `last_slot` stays.
INSERT INTO feeds (source, dataset, cadence_s, last_attempt_at)
VALUES (:source, :dataset, :cadence_s, :at)
ON CONFLICT (source, dataset) DO UPDATE SET last_attempt_at = excluded.last_attempt_at;
