-- The batch of a trace, among those that were committed in the shown time.
WITH before AS (
    SELECT coalesce((SELECT batch_id FROM coinlake.batches WHERE committed_at < $__timeFrom() ORDER BY batch_id DESC LIMIT 1), 0)
        AS batch_id
)

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
WHERE ${trace:sqlstring} <> ''
    AND split_part(traceparent, '-', 2) = ${trace:sqlstring}
    AND batch_id > (SELECT batch_id FROM before)
    AND committed_at <= $__timeTo()
ORDER BY batch_id DESC
LIMIT 20
