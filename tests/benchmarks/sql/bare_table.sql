-- The quotes' columns and their key in an ordinary table, and nothing else.
CREATE TABLE bare (LIKE quotes);
ALTER TABLE bare ADD PRIMARY KEY (source, asset, quote_currency, granularity, as_of);
