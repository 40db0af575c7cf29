-- Makes the touched candles of one interval again, from the candles of the next finer interval and the
-- quotes that are as coarse as this one. Open and close go by market time; where a finer and a coarser
-- piece share it, the finer one speaks. A bucket left without a price loses its row.
WITH bucket AS MATERIALIZED (
    SELECT DISTINCT asset_number, date_bin(%(width)s, as_of, 'epoch') AS open_time
    FROM touched
    WHERE granularity = ANY (%(touching)s)
),
-- Rows are looked up by stretches, an asset's buckets of a day: far fewer look-ups than buckets, and few rows
-- too many. OFFSET 0 and MATERIALIZED hold the planner to that, whatever it believes of the tables' sizes.
stretch AS MATERIALIZED (
    SELECT asset_number, source, asset, quote_currency, since, until
    FROM (
        SELECT asset_number, min(open_time) AS since, max(open_time) + %(width)s AS until
        FROM bucket
        GROUP BY asset_number, date_bin('1 day', open_time, 'epoch')
    ) AS day
    JOIN staged_assets USING (asset_number)
),
-- All that is known of a bucket, to be grouped once: no join whose size the planner would have to guess.
piece AS (
    SELECT
        asset_number, date_bin(%(width)s, fine.open_time, 'epoch') AS open_time, false AS is_touched,
        NULL::tid AS place, first_as_of, last_as_of, 0::bigint AS coarseness,
        open, high, low, close, volume_24h, quotes, synthetic
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
        asset_number, date_bin(%(width)s, as_of, 'epoch'), false,
        NULL, as_of, as_of, coarseness,
        price, price, price, price, volume_24h, 1, synthetic
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
    UNION ALL
    -- The candle that stands there now. Nobody else writes, so its place in the table holds.
    SELECT
        asset_number, standing.open_time, false,
        standing.place, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM stretch
    CROSS JOIN LATERAL (
        SELECT open_time, ctid AS place
        FROM candles
        WHERE source = stretch.source
            AND asset = stretch.asset
            AND quote_currency = stretch.quote_currency
            AND "interval" = %(interval)s
            AND open_time >= stretch.since
            AND open_time < stretch.until
        OFFSET 0
    ) AS standing
    UNION ALL
    SELECT asset_number, open_time, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM bucket
),
made AS MATERIALIZED (
    SELECT
        asset_number, open_time,
        max(place) AS place,
        -- The first of those that begin first. All in the one order that pieces are sorted in: another would
        -- sort each bucket's pieces again.
        (array_agg(open ORDER BY last_as_of DESC NULLS LAST, coarseness))[
            array_position(
                array_agg(first_as_of ORDER BY last_as_of DESC NULLS LAST, coarseness), min(first_as_of)
            )
        ] AS open,
        max(high) AS high,
        min(low) AS low,
        (array_agg(close ORDER BY last_as_of DESC NULLS LAST, coarseness))[1] AS close,
        (array_agg(volume_24h ORDER BY last_as_of DESC NULLS LAST, coarseness))[1] AS volume_24h,
        sum(quotes) AS quotes,
        min(first_as_of) AS first_as_of,
        max(last_as_of) AS last_as_of,
        bool_or(synthetic) AS synthetic
    FROM piece
    GROUP BY asset_number, open_time
    HAVING bool_or(is_touched)
),
emptied AS (
    DELETE FROM candles
    USING made
    WHERE candles.ctid = made.place AND made.quotes IS NULL
),
changed AS (
    UPDATE candles
    SET open = made.open,
        high = made.high,
        low = made.low,
        close = made.close,
        volume_24h = made.volume_24h,
        quotes = made.quotes,
        first_as_of = made.first_as_of,
        last_as_of = made.last_as_of,
        synthetic = made.synthetic
    FROM made
    WHERE made.place IS NOT NULL AND candles.ctid = made.place AND made.quotes > 0
),
added AS (
    INSERT INTO candles (
        source, asset, quote_currency, "interval", open_time, open, high, low, close, volume_24h, quotes,
        first_as_of, last_as_of, synthetic
    )
    SELECT
        source, asset, quote_currency, %(interval)s, open_time, open, high, low, close, volume_24h, quotes,
        first_as_of, last_as_of, synthetic
    FROM made
    JOIN staged_assets USING (asset_number)
    WHERE place IS NULL AND quotes > 0
)
SELECT count(*) FROM made WHERE quotes > 0
