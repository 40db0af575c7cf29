-- The closes of some assets in the stretch of time that suits each interval, oldest first. One row an
-- asset and interval; the key's index is read once for each, and nothing else.
SELECT
    wanted.source,
    wanted.asset,
    wanted.quote_currency,
    spans."interval",
    array_agg(recent.open_time ORDER BY recent.open_time) AS open_times,
    array_agg(recent.close ORDER BY recent.open_time)     AS closes
FROM unnest(%(sources)s::text[], %(assets)s::text[], %(quote_currencies)s::text[])
         AS wanted (source, asset, quote_currency)
CROSS JOIN unnest(%(intervals)s::text[], %(spans)s::interval[]) AS spans ("interval", span)
CROSS JOIN LATERAL (
    SELECT open_time, close
    FROM candles
    WHERE candles.source = wanted.source
      AND candles.asset = wanted.asset
      AND candles.quote_currency = wanted.quote_currency
      AND candles."interval" = spans."interval"
      AND candles.open_time > %(until)s::timestamptz - spans.span
      AND candles.open_time <= %(until)s::timestamptz
) AS recent
GROUP BY wanted.source, wanted.asset, wanted.quote_currency, spans."interval";
