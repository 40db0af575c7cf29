-- Since when quotes are kept: earlier months left the warehouse, and stay away when their captures are read again.
-- The lake has those captures as ever, and a new warehouse would be loaded with them.
CREATE TABLE retention (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kept_since timestamptz
);
INSERT INTO retention DEFAULT VALUES;

COMMENT ON TABLE retention IS 'Since when quotes are kept; one row';
COMMENT ON COLUMN retention.only_row IS 'Always true: there can be one row';
COMMENT ON COLUMN retention.kept_since IS
    'Begin of the first month (UTC) whose quotes are kept; null while all are. Candles and all else are kept for good.';
