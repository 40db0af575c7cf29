-- A second set of staging tables: while one transaction takes over what stands in one set, tasks fill the other.
CREATE UNLOGGED TABLE staging_b_captures (LIKE staging_captures INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_b_rejects (LIKE staging_rejects INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_b_spans (LIKE staging_spans INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_b_quotes (LIKE staging_quotes INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_b_candles (LIKE staging_candles INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_b_instruments (LIKE staging_instruments INCLUDING COMMENTS);

COMMENT ON TABLE staging_b_captures IS 'As staging_captures, for every other batch; not for reading';
COMMENT ON TABLE staging_b_rejects IS 'As staging_rejects, for every other batch; not for reading';
COMMENT ON TABLE staging_b_spans IS 'As staging_spans, for every other batch; not for reading';
COMMENT ON TABLE staging_b_quotes IS 'As staging_quotes, for every other batch; not for reading';
COMMENT ON TABLE staging_b_candles IS 'As staging_candles, for every other batch; not for reading';
COMMENT ON TABLE staging_b_instruments IS 'As staging_instruments, for every other batch; not for reading';
