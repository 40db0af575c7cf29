-- Every price as it was quoted, at its market time; of several in a bucket that is narrower than a pixel the last.
-- Named by granularity: live where it was polled, else the spacing of a backfill.
SELECT as_of AS "time", granularity AS metric, price::double precision AS price
FROM (
    SELECT DISTINCT ON (bucket, granularity) as_of, granularity, price
    FROM coinlake.quotes
    CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM as_of) * 1000 / $__interval_ms) AS bucket) AS pixel
    WHERE source = ${source:sqlstring}
        AND asset = ${asset:sqlstring}
        AND quote_currency = ${currency:sqlstring}
        AND granularity IN ('live', '5m', '1h', '1d')
        AND $__timeFilter(as_of)
    ORDER BY bucket, granularity, as_of DESC
) AS quoted
ORDER BY as_of, granularity
