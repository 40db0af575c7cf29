INSERT INTO staged_assets
SELECT row_number() OVER (), source, asset, quote_currency
FROM (SELECT DISTINCT source, asset, quote_currency FROM staged_quotes) AS told
