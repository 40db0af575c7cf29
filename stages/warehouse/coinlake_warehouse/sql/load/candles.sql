-- Makes the touched candles of one interval again, from the candles of the next finer interval and the
-- quotes that are as coarse as this one. Open and close go by market time; where a finer and a coarser
-- piece share it, the finer one speaks. A bucket left without a price loses its row.
WITH bucket AS MATERIALIZED (
    SELECT DISTINCT source, asset, quote_currency, date_bin(%(width)s, as_of, 'epoch') AS open_time
    FROM touched
    WHERE granularity = ANY (%(touching)s)
),
-- Pieces are fetched by stretches within a day: far fewer look-ups than buckets, little that is not needed.
stretch AS MATERIALIZED (
    SELECT source, asset, quote_currency, min(open_time) AS since, max(open_time) + %(width)s AS until
    FROM bucket
    GROUP BY source, asset, quote_currency, date_bin('1 day', open_time, 'epoch')
),
-- OFFSET 0 and MATERIALIZED keep the planner to that plan, whatever it believes of the tables' sizes.
piece AS MATERIALIZED (
    SELECT
        source, asset, quote_currency, date_bin(%(width)s, fine.open_time, 'epoch') AS open_time,
        first_as_of, last_as_of, 0 AS coarseness, open, high, low, close, volume_24h, quotes, synthetic
    FROM stretch
    CROSS JOIN LATERAL (
        SELECT open_time, first_as_of, last_as_of, open, high, low, close, volume_24h, quotes, synthetic
        FROM candles
        WHERE source = stretch.source
            AND asset = stretch.asset
            AND quote_currency = stretch.quote_currency
            AND "interval" = %(finer)s
            AND open_time >= stretch.since
            AND open_time < stretch.until
        OFFSET 0
    ) AS fine
    UNION ALL
    SELECT
        source, asset, quote_currency, date_bin(%(width)s, as_of, 'epoch') AS open_time,
        as_of, as_of, coarseness, price, price, price, price, volume_24h, 1, synthetic
    FROM stretch
    CROSS JOIN unnest(%(granularities)s::text[]) WITH ORDINALITY AS taken (granularity, coarseness)
    CROSS JOIN LATERAL (
        SELECT as_of, price, volume_24h, synthetic
        FROM quotes
        WHERE source = stretch.source
            AND asset = stretch.asset
            AND quote_currency = stretch.quote_currency
            AND granularity = taken.granularity
            AND as_of >= stretch.since
            AND as_of < stretch.until
            -- The same bounds for all stretches: the planner drops the other months' partitions.
            AND as_of >= %(since)s
            AND as_of < %(until)s
            AND price IS NOT NULL
        OFFSET 0
    ) AS quote
),
made AS MATERIALIZED (
    SELECT
        source, asset, quote_currency, open_time,
        (array_agg(open ORDER BY first_as_of, coarseness))[1] AS open,
        max(high) AS high,
        min(low) AS low,
        (array_agg(close ORDER BY last_as_of DESC, coarseness))[1] AS close,
        (array_agg(volume_24h ORDER BY last_as_of DESC, coarseness))[1] AS volume_24h,
        sum(quotes) AS quotes,
        min(first_as_of) AS first_as_of,
        max(last_as_of) AS last_as_of,
        bool_or(synthetic) AS synthetic
    FROM piece
    JOIN bucket USING (source, asset, quote_currency, open_time)
    GROUP BY source, asset, quote_currency, open_time
),
emptied AS (
    DELETE FROM candles
    USING (
        SELECT source, asset, quote_currency, open_time FROM bucket
        EXCEPT ALL
        SELECT source, asset, quote_currency, open_time FROM made
    ) AS unpriced
    WHERE candles.source = unpriced.source
        AND candles.asset = unpriced.asset
        AND candles.quote_currency = unpriced.quote_currency
        AND candles."interval" = %(interval)s
        AND candles.open_time = unpriced.open_time
)
INSERT INTO candles (
    source, asset, quote_currency, "interval", open_time, open, high, low, close, volume_24h, quotes,
    first_as_of, last_as_of, synthetic
)
SELECT
    source, asset, quote_currency, %(interval)s, open_time, open, high, low, close, volume_24h, quotes,
    first_as_of, last_as_of, synthetic
FROM made
ON CONFLICT (source, asset, quote_currency, "interval", open_time) DO UPDATE SET
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume_24h = excluded.volume_24h,
    quotes = excluded.quotes,
    first_as_of = excluded.first_as_of,
    last_as_of = excluded.last_as_of,
    synthetic = excluded.synthetic
