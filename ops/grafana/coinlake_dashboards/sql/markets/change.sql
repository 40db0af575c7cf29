-- From the first open to the last close of the shown time, by market time.
SELECT ((latest.close / nullif(earliest.open, 0) - 1) * 100)::double precision AS "change"
FROM (
    SELECT open
    FROM coinlake.market_candles
    WHERE source = ${source:sqlstring}
        AND asset = ${asset:sqlstring}
        AND quote_currency = ${currency:sqlstring}
        AND "interval" = ${interval:sqlstring}
        AND $__timeFilter(open_time)
    ORDER BY open_time
    LIMIT 1
) AS earliest
CROSS JOIN (
    SELECT close
    FROM coinlake.market_candles
    WHERE source = ${source:sqlstring}
        AND asset = ${asset:sqlstring}
        AND quote_currency = ${currency:sqlstring}
        AND "interval" = ${interval:sqlstring}
        AND $__timeFilter(open_time)
    ORDER BY open_time DESC
    LIMIT 1
) AS latest
