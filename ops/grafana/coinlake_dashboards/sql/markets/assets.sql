SELECT asset AS __value, concat_ws(' · ', nullif(name, ''), upper(symbol), asset) AS __text
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring} AND quote_currency = ${currency:sqlstring}
ORDER BY rank NULLS LAST, asset
