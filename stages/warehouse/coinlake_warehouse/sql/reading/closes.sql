-- The closes of some assets in the stretch of time that suits each interval, oldest first; one row an
-- asset and interval. The limit, which no span reaches, keeps the planner from reading all candles at once
-- instead of a few of each asset by the key's index.
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
    ORDER BY candles.open_time DESC
    LIMIT 1000
) AS recent
GROUP BY wanted.source, wanted.asset, wanted.quote_currency, spans."interval";
