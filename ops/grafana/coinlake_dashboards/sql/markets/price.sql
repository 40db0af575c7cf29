-- The newest price with all its digits.
SELECT concat_ws(' ', trim_scale(price)::text, upper(quote_currency)) AS price
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring}
    AND asset = ${asset:sqlstring}
    AND quote_currency = ${currency:sqlstring}
    AND price IS NOT NULL
