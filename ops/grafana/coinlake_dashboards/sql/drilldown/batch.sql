-- The batch of a trace.
SELECT
    batch_id                                                                        AS batch,
    kind,
    started_at                                                                      AS started,
    committed_at                                                                    AS committed,
    first_position                                                                  AS "from position",
    last_position                                                                   AS "to position",
    captures,
    quotes_new                                                                      AS "new quotes",
    rejects                                                                         AS "dead letters"
FROM coinlake.batches
WHERE ${trace:sqlstring} <> '' AND split_part(traceparent, '-', 2) = ${trace:sqlstring} AND $__timeFilter(committed_at)
ORDER BY batch_id DESC
LIMIT 20
