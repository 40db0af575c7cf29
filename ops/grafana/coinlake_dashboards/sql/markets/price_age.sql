-- How long ago the newest price was true at the venue.
SELECT extract(epoch FROM now() - as_of)::double precision AS "age by market time"
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring} AND asset = ${asset:sqlstring} AND quote_currency = ${currency:sqlstring}
