-- The venue's own candle where it serves one, else the one made of its quotes. Binary numbers are for the
-- plot only. Volume is what was paid in the bucket, or the rolling figure of 24 hours where that is all there is.
SELECT
    open_time                                            AS "time",
    open::double precision                               AS open,
    high::double precision                               AS high,
    low::double precision                                AS low,
    close::double precision                              AS close,
    coalesce(quote_volume, volume_24h)::double precision AS volume
FROM coinlake.market_candles
WHERE source = ${source:sqlstring}
    AND asset = ${asset:sqlstring}
    AND quote_currency = ${currency:sqlstring}
    AND "interval" = ${interval:sqlstring}
    AND $__timeFilter(open_time)
ORDER BY open_time
