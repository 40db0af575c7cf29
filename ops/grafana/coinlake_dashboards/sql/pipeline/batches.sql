-- The newest batches that were committed in the shown time, each with its trace.
SELECT
    batch_id                                                                        AS batch,
    kind,
    committed_at                                                                    AS committed,
    captures,
    quotes_new                                                                      AS "new quotes",
    candles + venue_candles                                                         AS candles,
    rejects                                                                         AS "dead letters",
    extract(epoch FROM committed_at - started_at)::double precision                 AS took,
    extract(epoch FROM committed_at - oldest_received_at)::double precision         AS "since receipt",
    split_part(traceparent, '-', 2)                                                 AS trace
FROM coinlake.batches
WHERE $__timeFilter(committed_at)
ORDER BY batch_id DESC
LIMIT 100
