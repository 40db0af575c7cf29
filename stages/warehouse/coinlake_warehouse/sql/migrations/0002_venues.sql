-- Several venues: candles as they serve them, what they trade, and which asset of which venue is which; and
-- what is made of that: the best candle of each bucket, and prices compared.

CREATE TABLE venue_candles (
    source         text COLLATE "C" NOT NULL,
    asset          text COLLATE "C" NOT NULL,
    quote_currency text COLLATE "C" NOT NULL,
    "interval"     text COLLATE "C" NOT NULL,
    open_time      timestamptz NOT NULL,
    open           numeric     NOT NULL,
    high           numeric     NOT NULL,
    low            numeric     NOT NULL,
    close          numeric     NOT NULL,
    volume         numeric,
    quote_volume   numeric,
    trades         numeric,
    fetched_at     timestamptz NOT NULL,
    extra          json,
    synthetic      boolean     NOT NULL,
    capture_id     uuid        NOT NULL,
    path           text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, asset, quote_currency, "interval", open_time)
);

COMMENT ON TABLE venue_candles IS
    'Closed candles as a venue serves them (silver). Of several answers about one candle the one fetched last stands, for a venue may still complete it.';
COMMENT ON COLUMN venue_candles.source IS 'Venue that served it, such as binance';
COMMENT ON COLUMN venue_candles.asset IS 'The venue''s own code of the asset, such as BTC';
COMMENT ON COLUMN venue_candles.quote_currency IS 'Currency of the prices and of quote_volume, such as usdt';
COMMENT ON COLUMN venue_candles."interval" IS 'Width of the bucket: 1m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 12h or 1d';
COMMENT ON COLUMN venue_candles.open_time IS 'Start of the bucket, aligned to UTC midnight';
COMMENT ON COLUMN venue_candles.open IS 'First price traded in the bucket';
COMMENT ON COLUMN venue_candles.high IS 'Highest price traded in the bucket';
COMMENT ON COLUMN venue_candles.low IS 'Lowest price traded in the bucket';
COMMENT ON COLUMN venue_candles.close IS 'Last price traded in the bucket';
COMMENT ON COLUMN venue_candles.volume IS 'Amount of the asset traded in the bucket';
COMMENT ON COLUMN venue_candles.quote_volume IS 'What was paid for it, in quote_currency; null where the venue does not say';
COMMENT ON COLUMN venue_candles.trades IS 'Number of trades; null where the venue does not say';
COMMENT ON COLUMN venue_candles.fetched_at IS 'When Coinlake received this answer';
COMMENT ON COLUMN venue_candles.extra IS 'What the venue said and no column holds, by name and with its exact digits';
COMMENT ON COLUMN venue_candles.synthetic IS 'True for answers that were made up';
COMMENT ON COLUMN venue_candles.capture_id IS 'The capture in the lake that this row was read from';
COMMENT ON COLUMN venue_candles.path IS 'JSON pointer of the row in that capture''s body';

CREATE TABLE instruments (
    source         text COLLATE "C" NOT NULL,
    instrument     text COLLATE "C" NOT NULL,
    asset          text COLLATE "C",
    quote_currency text COLLATE "C",
    status         text,
    price_step     numeric,
    amount_step    numeric,
    fetched_at     timestamptz NOT NULL,
    extra          json,
    synthetic      boolean     NOT NULL,
    capture_id     uuid        NOT NULL,
    path           text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, instrument)
);

COMMENT ON TABLE instruments IS
    'What each venue trades, as it said last (silver); how it was before stands in the lake';
COMMENT ON COLUMN instruments.source IS 'Venue that trades it';
COMMENT ON COLUMN instruments.instrument IS 'The venue''s name of the pair, such as BTCUSDT or BTC-USD';
COMMENT ON COLUMN instruments.asset IS 'The venue''s own code of what is bought';
COMMENT ON COLUMN instruments.quote_currency IS 'What it is bought with, in lower case';
COMMENT ON COLUMN instruments.status IS 'The venue''s own word, such as TRADING or online';
COMMENT ON COLUMN instruments.price_step IS 'Smallest change of the price, in quote_currency (tick size)';
COMMENT ON COLUMN instruments.amount_step IS 'Smallest change of the amount, in the asset (lot size)';
COMMENT ON COLUMN instruments.fetched_at IS 'When Coinlake received this answer';
COMMENT ON COLUMN instruments.extra IS 'What the venue said and no column holds, by name and with its exact digits';
COMMENT ON COLUMN instruments.synthetic IS 'True for answers that were made up';
COMMENT ON COLUMN instruments.capture_id IS 'The capture in the lake that this row was read from';
COMMENT ON COLUMN instruments.path IS 'JSON pointer of the row in that capture''s body';

ALTER TABLE batches ADD COLUMN venue_candles integer NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN instruments integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN batches.venue_candles IS 'Venues'' own candles that were new or said anew';
COMMENT ON COLUMN batches.instruments IS 'Instruments that were new or said anew';

CREATE TABLE assets (
    asset    text COLLATE "C" PRIMARY KEY,
    name     text NOT NULL,
    currency text COLLATE "C" UNIQUE
);

COMMENT ON TABLE assets IS 'Assets that are known at several venues, from the curated map that the program has';
COMMENT ON COLUMN assets.asset IS 'Our id, such as bitcoin';
COMMENT ON COLUMN assets.name IS 'Its name';
COMMENT ON COLUMN assets.currency IS 'Its code where others are quoted in it, such as usdt; null where nothing is';

CREATE TABLE asset_names (
    source      text COLLATE "C" NOT NULL,
    venue_asset text COLLATE "C" NOT NULL,
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    asset       text COLLATE "C" NOT NULL REFERENCES assets,
    PRIMARY KEY (source, venue_asset, since)
);

COMMENT ON TABLE asset_names IS 'What each venue calls an asset, and when: symbols change hands';
COMMENT ON COLUMN asset_names.source IS 'Venue or aggregator';
COMMENT ON COLUMN asset_names.venue_asset IS 'What stands in quotes.asset and candles.asset there';
COMMENT ON COLUMN asset_names.since IS 'From when on it means this asset; -infinity from ever';
COMMENT ON COLUMN asset_names.until IS 'Until when (that moment not included); infinity for ever';
COMMENT ON COLUMN asset_names.asset IS 'The asset it means';

-- The width of a bucket: a day is 24 hours, whatever the session's time zone.
CREATE FUNCTION candle_width("interval" text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE "interval"
        WHEN '1m' THEN interval '1 minute'
        WHEN '5m' THEN interval '5 minutes'
        WHEN '15m' THEN interval '15 minutes'
        WHEN '30m' THEN interval '30 minutes'
        WHEN '1h' THEN interval '1 hour'
        WHEN '2h' THEN interval '2 hours'
        WHEN '4h' THEN interval '4 hours'
        WHEN '6h' THEN interval '6 hours'
        WHEN '12h' THEN interval '12 hours'
        WHEN '1d' THEN interval '24 hours'
    END
$$;

CREATE VIEW market_candles AS
SELECT
    source, asset, quote_currency, "interval", open_time, open, high, low, close,
    volume, quote_volume, NULL::numeric AS volume_24h,
    open_time + candle_width("interval") - interval '1 microsecond' AS last_as_of,
    synthetic, 'venue' AS origin
FROM venue_candles
UNION ALL
SELECT
    source, asset, quote_currency, "interval", open_time, open, high, low, close,
    NULL, volume, volume_24h, last_as_of, synthetic, 'quotes'
FROM candles
WHERE NOT EXISTS (
    SELECT
    FROM venue_candles AS own
    WHERE own.source = candles.source
        AND own.asset = candles.asset
        AND own.quote_currency = candles.quote_currency
        AND own."interval" = candles."interval"
        AND own.open_time = candles.open_time
);

COMMENT ON VIEW market_candles IS
    'One candle a bucket (gold): the venue''s own where it serves one, else the one made of its quotes';
COMMENT ON COLUMN market_candles.volume IS 'Amount of the asset traded in the bucket';
COMMENT ON COLUMN market_candles.quote_volume IS 'What was paid for it, in quote_currency';
COMMENT ON COLUMN market_candles.volume_24h IS 'The rolling 24-hour volume at the close, where that is all the venue gives';
COMMENT ON COLUMN market_candles.last_as_of IS 'Market time of the close; of a venue''s candle it is only known to be before the bucket''s end';
COMMENT ON COLUMN market_candles.origin IS 'venue: as served; quotes: made of polled quotes';

-- The newest bucket that a venue has of an asset, by either table: two looks into their indexes.
CREATE FUNCTION newest_bucket(source text, asset text, quote_currency text, "interval" text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (
            SELECT max(open_time) FROM coinlake.candles AS made
            WHERE made.source = $1 AND made.asset = $2 AND made.quote_currency = $3 AND made."interval" = $4
        ),
        (
            SELECT max(open_time) FROM coinlake.venue_candles AS own
            WHERE own.source = $1 AND own.asset = $2 AND own.quote_currency = $3 AND own."interval" = $4
        )
    )
$$;

-- Every name of every asset with each currency it has candles in. The index is asked for one currency after
-- the other: far fewer looks than candles.
CREATE VIEW asset_markets AS
SELECT name.asset, name.source, name.venue_asset, name.since, name.until, market.quote_currency
FROM asset_names AS name
CROSS JOIN LATERAL (
    WITH RECURSIVE of_quotes AS (
        (
            SELECT quote_currency FROM candles
            WHERE source = name.source AND asset = name.venue_asset
            ORDER BY quote_currency LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT quote_currency FROM candles
            WHERE source = name.source AND asset = name.venue_asset
                AND quote_currency > of_quotes.quote_currency
            ORDER BY quote_currency LIMIT 1
        )
        FROM of_quotes
        WHERE of_quotes.quote_currency IS NOT NULL
    ),
    of_venues AS (
        (
            SELECT quote_currency FROM venue_candles
            WHERE source = name.source AND asset = name.venue_asset
            ORDER BY quote_currency LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT quote_currency FROM venue_candles
            WHERE source = name.source AND asset = name.venue_asset
                AND quote_currency > of_venues.quote_currency
            ORDER BY quote_currency LIMIT 1
        )
        FROM of_venues
        WHERE of_venues.quote_currency IS NOT NULL
    )
    SELECT quote_currency FROM of_quotes WHERE quote_currency IS NOT NULL
    UNION
    SELECT quote_currency FROM of_venues WHERE quote_currency IS NOT NULL
) AS market;

COMMENT ON VIEW asset_markets IS 'Which asset has prices at which venue in which currency';

CREATE VIEW price_comparison AS
WITH leg AS (
    SELECT
        market.asset, candle."interval", candle.open_time, market.source, market.venue_asset,
        market.quote_currency, candle.price, candle.as_of, candle.synthetic, candle.origin,
        CASE WHEN market.quote_currency = 'usd' THEN 1 ELSE rate.usd END AS usd_rate
    FROM asset_markets AS market
    -- As `market_candles`, but each table is asked by its whole key: through that view it takes six times as long.
    CROSS JOIN LATERAL (
        SELECT
            "interval", open_time, close AS price,
            open_time + candle_width("interval") - interval '1 microsecond' AS as_of, synthetic,
            'venue' AS origin
        FROM venue_candles
        WHERE source = market.source
            AND asset = market.venue_asset
            AND quote_currency = market.quote_currency
        UNION ALL
        SELECT "interval", open_time, close, last_as_of, synthetic, 'quotes'
        FROM candles AS made
        WHERE source = market.source
            AND asset = market.venue_asset
            AND quote_currency = market.quote_currency
            AND NOT EXISTS (
                SELECT
                FROM venue_candles AS own
                WHERE own.source = market.source
                    AND own.asset = market.venue_asset
                    AND own.quote_currency = market.quote_currency
                    AND own."interval" = made."interval"
                    AND own.open_time = made.open_time
            )
    ) AS candle
    LEFT JOIN LATERAL (
        SELECT trim_scale(
            (
                percentile_disc(0.5) WITHIN GROUP (ORDER BY coalesce(own.close, made.close))
                + percentile_disc(0.5) WITHIN GROUP (ORDER BY coalesce(own.close, made.close) DESC)
            ) * 0.5
        ) AS usd
        FROM assets AS money
        JOIN asset_names AS name USING (asset)
        LEFT JOIN venue_candles AS own
            ON own.source = name.source
            AND own.asset = name.venue_asset
            AND own.quote_currency = 'usd'
            AND own."interval" = candle."interval"
            AND own.open_time = candle.open_time
        LEFT JOIN candles AS made
            ON made.source = name.source
            AND made.asset = name.venue_asset
            AND made.quote_currency = 'usd'
            AND made."interval" = candle."interval"
            AND made.open_time = candle.open_time
        WHERE money.currency = market.quote_currency
            -- Never through itself: a currency priced in itself says nothing about its price.
            AND money.asset <> market.asset
            AND name.since <= candle.open_time
            AND name.until > candle.open_time
    ) AS rate ON market.quote_currency <> 'usd'
    WHERE market.since <= candle.open_time
        AND market.until > candle.open_time
),
priced AS (
    SELECT
        *,
        price * usd_rate AS price_usd,
        count(price * usd_rate) OVER bucket AS legs,
        array_agg(price * usd_rate) OVER bucket AS prices_usd
    FROM leg
    WINDOW bucket AS (PARTITION BY asset, "interval", open_time)
)
SELECT
    asset, "interval", open_time, source, venue_asset, quote_currency, price, usd_rate, price_usd,
    middle.usd AS median_usd,
    round((price_usd - middle.usd) * 10000 / nullif(middle.usd, 0), 2) AS distance_bp,
    CASE
        WHEN quote_currency <> 'usd' AND position('usd' IN quote_currency) > 0
            THEN round((price - middle.usd) * 10000 / nullif(middle.usd, 0), 2)
    END AS face_distance_bp,
    as_of,
    open_time + candle_width("interval") - as_of AS age,
    legs::integer AS legs,
    synthetic,
    origin
FROM priced
-- Both ways and halfway between: percentile_cont would go by way of binary floats.
CROSS JOIN LATERAL (
    SELECT trim_scale(
        (
            percentile_disc(0.5) WITHIN GROUP (ORDER BY each)
            + percentile_disc(0.5) WITHIN GROUP (ORDER BY each DESC)
        ) * 0.5
    ) AS usd
    FROM unnest(prices_usd) AS each
) AS middle;

COMMENT ON VIEW price_comparison IS
    'What each asset cost at each venue in each bucket, and how far that is from the median of all venues (gold)';
COMMENT ON COLUMN price_comparison.asset IS 'The asset by the map''s id';
COMMENT ON COLUMN price_comparison."interval" IS 'Width of the bucket';
COMMENT ON COLUMN price_comparison.open_time IS 'Start of the bucket';
COMMENT ON COLUMN price_comparison.price IS 'Close of the bucket, in quote_currency, as the venue has it';
COMMENT ON COLUMN price_comparison.usd_rate IS 'What one unit of quote_currency cost in US dollars in this bucket: the median of the venues that say; null where none does';
COMMENT ON COLUMN price_comparison.price_usd IS 'price times usd_rate';
COMMENT ON COLUMN price_comparison.median_usd IS 'Median of price_usd over all prices of the asset in the bucket';
COMMENT ON COLUMN price_comparison.distance_bp IS 'How far price_usd is from median_usd, in basis points (hundredths of a percent)';
COMMENT ON COLUMN price_comparison.face_distance_bp IS 'The same if one unit of quote_currency were one US dollar, of currencies whose code has usd in it: what the conversion hides';
COMMENT ON COLUMN price_comparison.as_of IS 'Market time of the price';
COMMENT ON COLUMN price_comparison.age IS 'How long before the end of the bucket that was';
COMMENT ON COLUMN price_comparison.legs IS 'How many prices in US dollars the median is of';
COMMENT ON COLUMN price_comparison.synthetic IS 'True if anything behind the price is made up';
COMMENT ON COLUMN price_comparison.origin IS 'venue: the venue''s own candle; quotes: made of polled quotes';
