-- Market cap and volume as the venue counts them; null where it does not say.
SELECT market_cap::double precision AS "market cap", volume_24h::double precision AS "volume of 24 h"
FROM coinlake.latest_quotes
WHERE source = ${source:sqlstring} AND asset = ${asset:sqlstring} AND quote_currency = ${currency:sqlstring}
