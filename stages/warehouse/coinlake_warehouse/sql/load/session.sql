-- What a loading session stages batches in. Emptied by each commit, gone with the session, never in the WAL.
SET temp_buffers = '128MB';
SET work_mem = '128MB';

CREATE TEMP TABLE staged_captures (
    position    bigint      NOT NULL,
    capture_id  uuid        NOT NULL,
    source      text COLLATE "C" NOT NULL,
    dataset     text        NOT NULL,
    slot        timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE staged_quotes (LIKE coinlake.quotes) ON COMMIT DELETE ROWS;

CREATE TEMP TABLE staged_rejects (
    capture_id uuid   NOT NULL,
    path       text COLLATE "C" NOT NULL,
    stage      text   NOT NULL,
    reasons    text[] NOT NULL,
    original   bytea  NOT NULL
) ON COMMIT DELETE ROWS;

-- Keys of the quotes that a batch wrote: their latest quotes and candles are made again.
CREATE TEMP TABLE touched (
    source         text COLLATE "C" NOT NULL,
    asset          text COLLATE "C" NOT NULL,
    quote_currency text COLLATE "C" NOT NULL,
    granularity    text COLLATE "C" NOT NULL,
    as_of          timestamptz NOT NULL
) ON COMMIT DELETE ROWS;
