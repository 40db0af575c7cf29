-- What moved most one way in the shown time, by market time: from the first open to the last close. Only what was quoted
-- in the first and in the last tenth of that time counts, so a dead or a new listing is no mover.
WITH shown AS (
    SELECT
        $__timeFrom()::timestamptz AS since,
        $__timeTo()::timestamptz AS until,
        ($__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 10 AS tenth
)

SELECT
    asset,
    coalesce(nullif(name, ''), asset)                                  AS name,
    trim_scale(earliest.open)::text                                    AS "from",
    trim_scale(latest.close)::text                                     AS "to",
    ((latest.close / nullif(earliest.open, 0) - 1) * 100)::double precision AS "change",
    latest.last_as_of                                                  AS "market time"
FROM coinlake.latest_quotes
CROSS JOIN shown
CROSS JOIN LATERAL (
    SELECT open
    FROM coinlake.candles
    WHERE candles.source = latest_quotes.source
        AND candles.asset = latest_quotes.asset
        AND candles.quote_currency = latest_quotes.quote_currency
        AND candles."interval" = ${interval:sqlstring}
        AND open_time >= shown.since
        AND open_time <= shown.since + shown.tenth
    ORDER BY open_time
    LIMIT 1
) AS earliest
CROSS JOIN LATERAL (
    SELECT close, last_as_of
    FROM coinlake.candles
    WHERE candles.source = latest_quotes.source
        AND candles.asset = latest_quotes.asset
        AND candles.quote_currency = latest_quotes.quote_currency
        AND candles."interval" = ${interval:sqlstring}
        AND open_time >= shown.until - shown.tenth
        AND open_time <= shown.until
    ORDER BY open_time DESC
    LIMIT 1
) AS latest
WHERE latest_quotes.source = ${source:sqlstring}
    AND latest_quotes.quote_currency = ${currency:sqlstring}
    AND latest.close {{beyond}} earliest.open
ORDER BY latest.close / nullif(earliest.open, 0) {{order}} NULLS LAST, asset
LIMIT 15
