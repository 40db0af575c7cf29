-- Reading for coinlake_reader: what is there, and what will be (partitions, later versions).
GRANT USAGE ON SCHEMA coinlake TO coinlake_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA coinlake TO coinlake_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA coinlake GRANT SELECT ON TABLES TO coinlake_reader;

-- Loading from the bus for coinlake_loader: rows are added and, by their keys, said anew. Deleted are only candles
-- without a quote behind them any more, and the map of assets, which is replaced as a whole; emptied is only
-- what tasks share for a batch.
GRANT USAGE ON SCHEMA coinlake TO coinlake_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA coinlake TO coinlake_loader;
GRANT INSERT, UPDATE ON
    quotes, latest_quotes, candles, venue_candles, instruments, dead_letters, position, bus_offsets
TO coinlake_loader;
GRANT DELETE ON candles TO coinlake_loader;
GRANT INSERT ON batches, loaded_captures TO coinlake_loader;
GRANT INSERT, DELETE ON assets, asset_names TO coinlake_loader;
GRANT INSERT, TRUNCATE ON
    staging_captures, staging_rejects, staging_spans, staging_quotes, staging_candles, staging_instruments,
    staging_b_captures, staging_b_rejects, staging_b_spans, staging_b_quotes, staging_b_candles,
    staging_b_instruments
TO coinlake_loader;
GRANT EXECUTE ON FUNCTION make_quotes_partition(timestamptz) TO coinlake_loader;

-- Best effort, each for itself: so that people can write `select * from quotes` (after their own schemas),
-- and so that queries can put the role on.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM pg_db_role_setting AS setting
        JOIN pg_database ON pg_database.oid = setting.setdatabase
        WHERE pg_database.datname = current_database()
            AND setting.setrole = 0
            AND array_to_string(setting.setconfig, ' ') LIKE '%search_path=%'
    ) THEN
        EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, coinlake', current_database());
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'write coinlake.quotes, not quotes: %', SQLERRM;
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role('coinlake_reader', 'MEMBER') THEN
        GRANT coinlake_reader TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN RAISE NOTICE 'queries run without coinlake_reader: %', SQLERRM;
END
$$;
