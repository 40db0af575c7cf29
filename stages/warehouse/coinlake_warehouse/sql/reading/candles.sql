-- The last candles of one asset that opened at `until` or before it, oldest first.
SELECT *
FROM (
    SELECT open_time, open, high, low, close, volume, volume_24h, quotes, first_as_of, last_as_of, synthetic
    FROM candles
    WHERE source = %(source)s
      AND asset = %(asset)s
      AND quote_currency = %(quote_currency)s
      AND "interval" = %(interval)s
      AND open_time <= coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY open_time DESC
    LIMIT %(limit)s
) AS newest
ORDER BY open_time;
