-- The newest quotes. Amounts are the venue's digits; the change of 24 hours is the venue's own.
SELECT
    rank,
    asset,
    coalesce(nullif(name, ''), asset)      AS name,
    upper(symbol)                          AS symbol,
    trim_scale(price)::text                AS price,
    price_change_pct_24h::double precision AS "24 h",
    market_cap::double precision           AS "market cap",
    volume_24h::double precision           AS "volume 24 h",
    as_of                                  AS "market time",
    fetched_at                             AS "received",
    capture_id::text                       AS capture
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring} AND quote_currency = ${currency:sqlstring}
ORDER BY rank NULLS LAST, asset
LIMIT 250
