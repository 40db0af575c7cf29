-- Six days of three venues, a quote each five minutes: enough for PostgreSQL to choose its ways as it does with years.
-- Filled by plain SQL, because loading it would take minutes; the shapes are those that loading makes.
SET search_path = coinlake;

SELECT make_quotes_partition('2026-10-01');
SELECT make_quotes_partition('2026-11-01');

CREATE TEMPORARY TABLE quoted AS
SELECT source, venue_asset AS asset, CASE source WHEN 'binance' THEN 'usdt' ELSE 'usd' END AS quote_currency,
    row_number() OVER (ORDER BY source, venue_asset) AS number
FROM asset_names
WHERE asset IN ('bitcoin', 'ethereum', 'tether', 'solana', 'ripple', 'dogecoin', 'cardano') AND until = 'infinity';

CREATE TEMPORARY TABLE slots AS
SELECT slot, row_number() OVER (ORDER BY slot) AS position
FROM generate_series('2026-11-01 00:00Z'::timestamptz, '2026-11-06 23:55Z'::timestamptz, interval '5 minutes') AS slot;

INSERT INTO quotes (
    source, asset, quote_currency, granularity, as_of, fetched_at, symbol, name, price, market_cap, rank,
    synthetic, capture_id, path
)
SELECT source, asset, quote_currency, 'live', slot, slot + interval '40 seconds', asset, asset,
    100 + number + position % 50, 1000 * number, number, true,
    ('00000000-0000-0000-0000-' || lpad(position::text, 12, '0'))::uuid, '/' || number
FROM slots CROSS JOIN quoted;

INSERT INTO candles
SELECT source, asset, quote_currency, width, date_bin(width::interval, as_of, '2026-11-01 00:00Z'),
    (array_agg(price ORDER BY as_of))[1], max(price), min(price), (array_agg(price ORDER BY as_of DESC))[1],
    NULL, NULL, count(*), min(as_of), max(as_of), true
FROM quotes CROSS JOIN (VALUES ('5m'), ('1h'), ('1d')) AS widths (width)
GROUP BY source, asset, quote_currency, width, date_bin(width::interval, as_of, '2026-11-01 00:00Z');

INSERT INTO venue_candles
SELECT source, asset, quote_currency, "interval", open_time, open, high, low, close, 10, 1000, 5,
    open_time + interval '5 minutes', '{}', true, '00000000-0000-0000-0000-000000000001', '/0'
FROM candles
WHERE source <> 'coingecko' AND open_time < '2026-11-06 23:50Z';

INSERT INTO latest_quotes
SELECT DISTINCT ON (source, asset, quote_currency) *
FROM quotes
ORDER BY source, asset, quote_currency, as_of DESC;

INSERT INTO batches (
    kind, first_position, last_position, captures, quotes_read, quotes_new, rejects, candles,
    oldest_received_at, started_at, committed_at, traceparent
)
SELECT 'tail', position, position, 1, 20, 20, 1, 60, slot + interval '40 seconds', slot + interval '41 seconds',
    slot + interval '42 seconds', '00-' || md5(position::text) || '-1234567812345678-01'
FROM slots ORDER BY slot;

INSERT INTO loaded_captures
SELECT position, ('00000000-0000-0000-0000-' || lpad(position::text, 12, '0'))::uuid, 'coingecko', 'markets', slot, position
FROM slots;

INSERT INTO dead_letters
SELECT ('00000000-0000-0000-0000-' || lpad(position::text, 12, '0'))::uuid, '/9', 'validate', 'coingecko', 'markets',
    slot, ARRAY['price_negative: -1'], '{}', slot, slot + interval '42 seconds', NULL
FROM slots;
