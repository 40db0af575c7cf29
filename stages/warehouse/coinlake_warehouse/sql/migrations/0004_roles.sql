-- Loading under a login that owns nothing, and a record of loaded captures in which no claim shuts out another.

-- A message may claim the position of another capture: a stranger's, or one of a lake that was restored and
-- gave its positions out again. Both stand, and `coinlake verify` names the one that the lake does not have.
ALTER TABLE loaded_captures
    DROP CONSTRAINT loaded_captures_pkey,
    DROP CONSTRAINT loaded_captures_capture_id_key,
    ADD PRIMARY KEY (position, capture_id);

COMMENT ON COLUMN loaded_captures.position IS
    'Its position in the lake, as its message said: two captures at one are a stranger''s doing';

-- A partition is made by the owner of the table, whoever loads: with this, a loader need not own it.
-- Made beside the table and then attached, because "PARTITION OF" would shut readers out until the batch
-- commits; attaching does not.
CREATE FUNCTION make_quotes_partition(month timestamptz) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = coinlake, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    first timestamptz := date_trunc('month', month);
    partition text := 'quotes_' || to_char(first, 'YYYY_MM');
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE quotes INCLUDING ALL)', partition);
    EXECUTE format('COMMENT ON TABLE %I IS %L', partition, 'Quotes of ' || to_char(first, 'YYYY-MM') || ', by market time');
    EXECUTE format(
        'ALTER TABLE quotes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, first, first + interval '1 month'
    );
END
$$;

COMMENT ON FUNCTION make_quotes_partition(timestamptz) IS
    'Adds the partition of quotes for the month (UTC) of a moment; for the role coinlake_loader';
REVOKE ALL ON FUNCTION make_quotes_partition(timestamptz) FROM PUBLIC;
