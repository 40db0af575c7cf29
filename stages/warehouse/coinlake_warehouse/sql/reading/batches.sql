-- The last committed batches, newest first.
SELECT
    batch_id, kind, first_position, last_position, captures, quotes_read, quotes_new, rejects, candles,
    oldest_received_at, started_at, committed_at, traceparent
FROM batches
WHERE batch_id < coalesce(%(before)s::bigint, 9223372036854775807)
ORDER BY batch_id DESC
LIMIT %(limit)s;
