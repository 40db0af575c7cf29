-- The warehouse people meet: silver quotes, gold candles, what was rejected, and how far loading got.
-- Amounts are NUMERIC without a scale: the digits of the venue's own text, never rounded. Null is
-- "the venue did not say", never zero. Times are UTC. What rows are ordered or told apart by compares byte
-- by byte (COLLATE "C"), so that every server puts the same row first.

CREATE TABLE quotes (
    source                    text COLLATE "C" NOT NULL,
    asset                     text COLLATE "C" NOT NULL,
    quote_currency            text COLLATE "C" NOT NULL,
    granularity               text COLLATE "C" NOT NULL,
    as_of                     timestamptz NOT NULL,
    fetched_at                timestamptz NOT NULL,
    symbol                    text,
    name                      text,
    price                     numeric,
    volume_24h                numeric,
    market_cap                numeric,
    fully_diluted_valuation   numeric,
    high_24h                  numeric,
    low_24h                   numeric,
    price_change_24h          numeric,
    price_change_pct_24h      numeric,
    market_cap_change_24h     numeric,
    market_cap_change_pct_24h numeric,
    circulating_supply        numeric,
    total_supply              numeric,
    max_supply                numeric,
    rank                      integer,
    extra                     json,
    synthetic                 boolean     NOT NULL,
    capture_id                uuid        NOT NULL,
    path                      text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, asset, quote_currency, granularity, as_of)
) PARTITION BY RANGE (as_of);

COMMENT ON TABLE quotes IS
    'What each venue said of each asset at each moment (silver). One partition a month of as_of. Of two answers about the same moment the one fetched first stands.';
COMMENT ON COLUMN quotes.source IS 'Venue or aggregator that said it, such as coingecko';
COMMENT ON COLUMN quotes.asset IS 'The venue''s own id of the asset, such as bitcoin; symbols are not unique, ids are';
COMMENT ON COLUMN quotes.quote_currency IS 'Currency that price, volume and caps are in, such as usd';
COMMENT ON COLUMN quotes.granularity IS 'live: polled as it happened; 5m, 1h, 1d: backfilled at that spacing';
COMMENT ON COLUMN quotes.as_of IS 'Market time: when the venue says the price was true';
COMMENT ON COLUMN quotes.fetched_at IS 'When Coinlake first received it: what could be known when';
COMMENT ON COLUMN quotes.symbol IS 'Ticker symbol as the venue writes it; not unique';
COMMENT ON COLUMN quotes.name IS 'Name as the venue writes it, any script, possibly blank';
COMMENT ON COLUMN quotes.price IS 'Price of one unit, in quote_currency';
COMMENT ON COLUMN quotes.volume_24h IS 'Volume traded in the 24 hours up to as_of, in quote_currency';
COMMENT ON COLUMN quotes.market_cap IS 'Price times circulating supply as the venue counts it, in quote_currency';
COMMENT ON COLUMN quotes.fully_diluted_valuation IS 'Price times the supply there will ever be, in quote_currency';
COMMENT ON COLUMN quotes.high_24h IS 'Highest price of the 24 hours up to as_of, in quote_currency';
COMMENT ON COLUMN quotes.low_24h IS 'Lowest price of the 24 hours up to as_of, in quote_currency';
COMMENT ON COLUMN quotes.price_change_24h IS 'Price change over 24 hours, in quote_currency';
COMMENT ON COLUMN quotes.price_change_pct_24h IS 'Price change over 24 hours, in percent';
COMMENT ON COLUMN quotes.market_cap_change_24h IS 'Market cap change over 24 hours, in quote_currency';
COMMENT ON COLUMN quotes.market_cap_change_pct_24h IS 'Market cap change over 24 hours, in percent';
COMMENT ON COLUMN quotes.circulating_supply IS 'Units in circulation';
COMMENT ON COLUMN quotes.total_supply IS 'Units that exist';
COMMENT ON COLUMN quotes.max_supply IS 'Units that can ever exist; null where there is no maximum or none is given';
COMMENT ON COLUMN quotes.rank IS 'Rank by market cap at the venue; has gaps, can be null';
COMMENT ON COLUMN quotes.extra IS 'What the venue said and no column holds, by its own names and with its exact digits';
COMMENT ON COLUMN quotes.synthetic IS 'True for answers made up for load tests; never true of a recorded or live one';
COMMENT ON COLUMN quotes.capture_id IS 'The capture in the lake that this row was read from';
COMMENT ON COLUMN quotes.path IS 'JSON pointer of the row in that capture''s body';

-- "The last hours of everything" for freshness and for people; the key serves one asset's history.
CREATE INDEX quotes_by_time ON quotes USING brin (as_of);

CREATE TABLE latest_quotes (LIKE quotes INCLUDING COMMENTS);
ALTER TABLE latest_quotes ADD PRIMARY KEY (source, asset, quote_currency);
COMMENT ON TABLE latest_quotes IS
    'The newest live quote of each asset, kept up to date in each batch''s transaction (gold)';

CREATE TABLE candles (
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
    volume_24h     numeric,
    quotes         integer     NOT NULL,
    first_as_of    timestamptz NOT NULL,
    last_as_of     timestamptz NOT NULL,
    synthetic      boolean     NOT NULL,
    PRIMARY KEY (source, asset, quote_currency, "interval", open_time)
);

COMMENT ON TABLE candles IS
    'Open, high, low and close of the quotes in each bucket of 5m, 1h and 1d (gold), recomputed for exactly the buckets a batch touched. A bucket without a price has no row.';
COMMENT ON COLUMN candles.source IS 'Venue or aggregator of the quotes';
COMMENT ON COLUMN candles.asset IS 'The venue''s own id of the asset';
COMMENT ON COLUMN candles.quote_currency IS 'Currency of the prices';
COMMENT ON COLUMN candles."interval" IS '5m, 1h or 1d; a candle is made of quotes as fine as itself or finer';
COMMENT ON COLUMN candles.open_time IS 'Start of the bucket, aligned to UTC midnight; the bucket ends before the next one starts';
COMMENT ON COLUMN candles.open IS 'First price in the bucket by as_of';
COMMENT ON COLUMN candles.high IS 'Highest price seen in the bucket';
COMMENT ON COLUMN candles.low IS 'Lowest price seen in the bucket';
COMMENT ON COLUMN candles.close IS 'Last price in the bucket by as_of';
COMMENT ON COLUMN candles.volume IS 'Volume traded within the bucket; null where the venue only gives a rolling figure';
COMMENT ON COLUMN candles.volume_24h IS 'The rolling 24-hour volume at the close, in quote_currency';
COMMENT ON COLUMN candles.quotes IS 'How many quotes with a price stand behind the candle';
COMMENT ON COLUMN candles.first_as_of IS 'Market time of the open';
COMMENT ON COLUMN candles.last_as_of IS 'Market time of the close';
COMMENT ON COLUMN candles.synthetic IS 'True if any quote behind the candle is synthetic';

CREATE TABLE dead_letters (
    capture_id  uuid        NOT NULL,
    path        text COLLATE "C" NOT NULL,
    stage       text        NOT NULL,
    source      text COLLATE "C" NOT NULL,
    dataset     text        NOT NULL,
    slot        timestamptz NOT NULL,
    reasons     text[]      NOT NULL,
    original    bytea       NOT NULL,
    received_at timestamptz NOT NULL,
    rejected_at timestamptz NOT NULL,
    resolved_at timestamptz,
    PRIMARY KEY (capture_id, path)
);

COMMENT ON TABLE dead_letters IS
    'What was refused on the way from lake to quotes, with every reason. `coinlake replay` tries again.';
COMMENT ON COLUMN dead_letters.capture_id IS 'The capture in the lake it was part of';
COMMENT ON COLUMN dead_letters.path IS 'JSON pointer within the capture''s body; empty for the whole body';
COMMENT ON COLUMN dead_letters.stage IS 'The step that refused it: decode, validate, … or load';
COMMENT ON COLUMN dead_letters.source IS 'Venue or aggregator of the capture';
COMMENT ON COLUMN dead_letters.dataset IS 'Dataset of the capture';
COMMENT ON COLUMN dead_letters.slot IS 'Slot of the capture';
COMMENT ON COLUMN dead_letters.reasons IS 'Every reason, each a rule''s name and what broke it';
COMMENT ON COLUMN dead_letters.original IS 'The original bytes of what was refused';
COMMENT ON COLUMN dead_letters.received_at IS 'When its answer was received';
COMMENT ON COLUMN dead_letters.rejected_at IS 'When it was last refused';
COMMENT ON COLUMN dead_letters.resolved_at IS 'When a replay accepted it; null while it is still refused';

CREATE INDEX dead_letters_open ON dead_letters (rejected_at DESC) WHERE resolved_at IS NULL;

CREATE TABLE batches (
    batch_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text        NOT NULL CHECK (kind IN ('tail', 'replay')),
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    captures       integer     NOT NULL,
    quotes_read    integer     NOT NULL,
    quotes_new     integer     NOT NULL,
    rejects        integer     NOT NULL,
    candles        integer     NOT NULL,
    oldest_received_at timestamptz NOT NULL,
    started_at     timestamptz NOT NULL,
    committed_at   timestamptz NOT NULL,
    traceparent    text        NOT NULL
);

COMMENT ON TABLE batches IS
    'One row a committed batch; written in the same transaction as its quotes, candles and dead letters';
COMMENT ON COLUMN batches.batch_id IS 'Ascending in order of commit';
COMMENT ON COLUMN batches.kind IS 'tail: the lake''s next captures; replay: captures read again on request';
COMMENT ON COLUMN batches.first_position IS 'Position in the lake of the first capture';
COMMENT ON COLUMN batches.last_position IS 'Position in the lake of the last capture';
COMMENT ON COLUMN batches.captures IS 'Captures read';
COMMENT ON COLUMN batches.quotes_read IS 'Quotes that refining the captures gave, each key counted once';
COMMENT ON COLUMN batches.quotes_new IS 'Of these, quotes that were not in the warehouse, or replaced one fetched later';
COMMENT ON COLUMN batches.rejects IS 'Dead letters of these captures';
COMMENT ON COLUMN batches.candles IS 'Candles recomputed';
COMMENT ON COLUMN batches.oldest_received_at IS 'When the oldest capture was received: committed_at minus this is the lag';
COMMENT ON COLUMN batches.started_at IS 'When refining began';
COMMENT ON COLUMN batches.committed_at IS 'When the batch was committed';
COMMENT ON COLUMN batches.traceparent IS 'W3C trace context of the batch; joins it to its captures'' traces';

CREATE TABLE position (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint  NOT NULL,
    lake_id  uuid    NOT NULL
);

COMMENT ON TABLE position IS 'How far the lake has been loaded; one row';
COMMENT ON COLUMN position.only_row IS 'Always true: there can be one row';
COMMENT ON COLUMN position.position IS 'Every capture up to here is in quotes or dead_letters';
COMMENT ON COLUMN position.lake_id IS 'The lake these positions are of; loading from another one is refused';
