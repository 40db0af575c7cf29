-- Tables of the same names and shapes as the warehouse's, which this session sees in their place: what
-- should stand there, made by the very statements that load.
CREATE TEMP TABLE quotes (LIKE coinlake.quotes INCLUDING DEFAULTS);
ALTER TABLE quotes ADD PRIMARY KEY (source, asset, quote_currency, granularity, as_of);
CREATE TEMP TABLE latest_quotes (LIKE coinlake.latest_quotes INCLUDING INDEXES);
CREATE TEMP TABLE candles (LIKE coinlake.candles INCLUDING INDEXES);
CREATE TEMP TABLE venue_candles (LIKE coinlake.venue_candles INCLUDING INDEXES);
CREATE TEMP TABLE instruments (LIKE coinlake.instruments INCLUDING INDEXES);
CREATE TEMP TABLE dead_letters (LIKE coinlake.dead_letters INCLUDING INDEXES);

-- The captures that were read for it.
CREATE TEMP TABLE checked (capture_id uuid PRIMARY KEY);

-- For a range of captures: the buckets it reaches, and whether all quotes behind each come from within it.
CREATE TEMP TABLE origins (
    source         text COLLATE "C" NOT NULL,
    asset          text COLLATE "C" NOT NULL,
    quote_currency text COLLATE "C" NOT NULL,
    "interval"     text COLLATE "C" NOT NULL,
    open_time      timestamptz NOT NULL,
    from_range     boolean NOT NULL
);
