-- The capture, and the batch that loaded it first.
SELECT
    loaded.capture_id::text                                                          AS capture,
    loaded.source,
    loaded.dataset,
    loaded.slot,
    loaded.position,
    batch.batch_id                                                                   AS batch,
    batch.committed_at                                                               AS committed,
    extract(epoch FROM batch.committed_at - batch.oldest_received_at)::double precision AS "since receipt",
    split_part(batch.traceparent, '-', 2)                                            AS trace
FROM coinlake.loaded_captures AS loaded
JOIN coinlake.batches AS batch USING (batch_id)
-- Anything but an id finds nothing.
WHERE loaded.capture_id = CASE WHEN ${capture:sqlstring} ~ '^[0-9a-f-]{36}$' THEN ${capture:sqlstring}::text::uuid END
