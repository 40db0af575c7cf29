-- From when to when each attempt of a task tells of each asset: with this, the closing transaction sees at a
-- glance which rows are all new, and writes those as they are.
TRUNCATE staging_quotes;
ALTER TABLE staging_quotes ADD COLUMN span integer NOT NULL;
COMMENT ON COLUMN staging_quotes.span IS 'Its span among those of the attempt';

CREATE UNLOGGED TABLE staging_spans (
    attempt        uuid    NOT NULL,
    span           integer NOT NULL,
    source         text COLLATE "C" NOT NULL,
    asset          text COLLATE "C" NOT NULL,
    quote_currency text COLLATE "C" NOT NULL,
    granularity    text COLLATE "C" NOT NULL,
    first_as_of    timestamptz NOT NULL,
    last_as_of     timestamptz NOT NULL
);

COMMENT ON TABLE staging_spans IS
    'What the quotes of a batch that is being loaded from the bus reach; not for reading';
COMMENT ON COLUMN staging_spans.attempt IS 'The attempt of a task that made the quotes';
COMMENT ON COLUMN staging_spans.span IS 'Number of the span among those of the attempt';
COMMENT ON COLUMN staging_spans.source IS 'Venue or aggregator of the quotes';
COMMENT ON COLUMN staging_spans.asset IS 'The venue''s own id of the asset';
COMMENT ON COLUMN staging_spans.quote_currency IS 'Currency of the quotes';
COMMENT ON COLUMN staging_spans.granularity IS 'Granularity of the quotes';
COMMENT ON COLUMN staging_spans.first_as_of IS 'The earliest of them, by market time';
COMMENT ON COLUMN staging_spans.last_as_of IS 'The latest of them, by market time';
