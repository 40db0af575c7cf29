-- Rows that were new, by when their batch was committed: load time, not market time. A bucket without a batch
-- is a gap.
WITH before AS (
    -- Batches are numbered in order of commit, so the shown time's are found from their end.
    SELECT coalesce((SELECT batch_id FROM coinlake.batches WHERE committed_at < $__timeFrom() ORDER BY batch_id DESC LIMIT 1), 0)
        AS batch_id
)

SELECT
    $__timeGroup(committed_at, '$__interval') AS "time",
    sum(quotes_new)::double precision         AS "quotes",
    sum(venue_candles)::double precision      AS "candles of venues",
    sum(rejects)::double precision            AS "dead letters"
FROM coinlake.batches
WHERE batch_id > (SELECT batch_id FROM before) AND committed_at <= $__timeTo()
GROUP BY 1
ORDER BY 1
