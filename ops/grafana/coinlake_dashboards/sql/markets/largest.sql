-- The largest by market cap.
SELECT coalesce(nullif(name, ''), asset) AS name, market_cap::double precision AS "market cap"
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring} AND quote_currency = ${currency:sqlstring} AND market_cap IS NOT NULL
ORDER BY latest_quotes.market_cap DESC
LIMIT 10
