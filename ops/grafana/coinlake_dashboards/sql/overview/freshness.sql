-- How new each source's newest price is, by both clocks: the venue's (as_of) and ours (fetched_at).
SELECT
    source,
    count(*)                                                        AS assets,
    max(as_of)                                                      AS "market time",
    extract(epoch FROM now() - max(as_of))::double precision        AS "market time ago",
    max(fetched_at)                                                 AS "received",
    extract(epoch FROM now() - max(fetched_at))::double precision   AS "received ago",
    CASE WHEN bool_or(synthetic) THEN 'made up' ELSE 'real' END     AS prices
FROM coinlake.latest_quotes
GROUP BY source
ORDER BY source
