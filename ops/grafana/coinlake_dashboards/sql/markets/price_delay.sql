-- How old a price was when it was received, at its market time: the venue's delay, and ours.
SELECT
    $__timeGroup(as_of, '$__interval')                                    AS "time",
    extract(epoch FROM max(fetched_at - as_of))::double precision         AS "oldest in the bucket",
    extract(epoch FROM min(fetched_at - as_of))::double precision         AS "newest in the bucket"
FROM coinlake.quotes
WHERE source = ${source:sqlstring}
    AND asset = ${asset:sqlstring}
    AND quote_currency = ${currency:sqlstring}
    AND granularity = 'live'
    AND $__timeFilter(as_of)
GROUP BY 1
ORDER BY 1
