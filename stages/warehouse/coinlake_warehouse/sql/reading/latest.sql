-- One page of the newest quotes, found by any part of id, symbol, name or source, in a chosen order.
-- Braces are filled by reading.py, from a fixed list. What has no value comes last in either direction.
SELECT
    source, asset, quote_currency, symbol, name, rank, price, price_change_pct_24h, market_cap,
    volume_24h, high_24h, low_24h, circulating_supply, total_supply, max_supply, as_of, fetched_at,
    synthetic, capture_id, path,
    count(*) OVER () AS found
FROM latest_quotes
WHERE %(sought)s = ''
   OR position(lower(%(sought)s) IN lower(concat_ws(' ', name, symbol, asset, source))) > 0
ORDER BY {order} {direction} NULLS LAST, rank NULLS LAST, source, asset, quote_currency
LIMIT %(limit)s OFFSET %(offset)s;
