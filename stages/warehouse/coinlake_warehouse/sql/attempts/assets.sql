INSERT INTO staged_assets
SELECT row_number() OVER (), source, asset, quote_currency
FROM (
    SELECT DISTINCT source, asset, quote_currency FROM {staging_spans} WHERE attempt = ANY (%(attempts)s)
) AS told
