-- The batch that loaded a capture first. Its position is what finds it fast; where nobody knows it, all are read.
SELECT
    loaded.source, loaded.dataset, loaded.slot, loaded.position, batch_id, batches.kind, batches.captures,
    batches.started_at, batches.committed_at, batches.traceparent,
    (SELECT count(*) FROM dead_letters WHERE capture_id = %(capture_id)s) AS dead_letters
FROM loaded_captures AS loaded
JOIN batches USING (batch_id)
WHERE loaded.capture_id = %(capture_id)s
    AND (loaded.position = %(position)s OR %(position)s::bigint IS NULL)
ORDER BY batch_id
LIMIT 1;
