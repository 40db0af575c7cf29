-- What a loading session stages batches in. Emptied by each commit, gone with the session, never in the WAL.
SET temp_buffers = '128MB';
SET work_mem = '128MB';
-- A batch is small and the tables are large: rows are looked up, whatever the planner believes of the sizes.
SET enable_seqscan = off;

CREATE TEMP TABLE staged_captures (
    position    bigint,
    capture_id  uuid        NOT NULL,
    source      text COLLATE "C" NOT NULL,
    dataset     text        NOT NULL,
    slot        timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE staged_rejects (
    capture_id uuid   NOT NULL,
    path       text COLLATE "C" NOT NULL,
    stage      text   NOT NULL,
    reasons    text[] NOT NULL,
    original   bytea  NOT NULL
) ON COMMIT DELETE ROWS;

-- The assets that a batch tells of; their numbers stand for the texts while rows are counted and grouped.
CREATE TEMP TABLE staged_assets (
    asset_number   integer NOT NULL,
    source         text COLLATE "C" NOT NULL,
    asset          text COLLATE "C" NOT NULL,
    quote_currency text COLLATE "C" NOT NULL
) ON COMMIT DELETE ROWS;

-- From when to when it tells of each, by granularity; of a batch from a bus, in which attempt.
CREATE TEMP TABLE staged_spans (
    span_number  integer NOT NULL,
    asset_number integer NOT NULL,
    granularity  text COLLATE "C" NOT NULL,
    first_as_of  timestamptz NOT NULL,
    last_as_of   timestamptz NOT NULL,
    attempt      uuid
) ON COMMIT DELETE ROWS;

-- Quotes of spans in which others stand already.
CREATE TEMP TABLE staged_quotes (LIKE coinlake.quotes) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE staged_candles (LIKE coinlake.venue_candles) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE staged_instruments (LIKE coinlake.instruments) ON COMMIT DELETE ROWS;

-- Keys of the quotes that were written: their latest quotes and candles are made again.
CREATE TEMP TABLE touched (
    asset_number integer NOT NULL,
    granularity  text COLLATE "C" NOT NULL,
    as_of        timestamptz NOT NULL
) ON COMMIT DELETE ROWS;
