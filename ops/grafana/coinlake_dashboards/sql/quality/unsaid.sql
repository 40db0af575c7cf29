-- What the venues did not say, of the newest quotes: null, which is not zero.
SELECT
    source,
    count(*)                                               AS quotes,
    count(*) - count(price)                                AS "no price",
    count(*) - count(volume_24h)                           AS "no volume",
    count(*) - count(market_cap)                           AS "no market cap",
    count(*) - count(rank)                                 AS "no rank"
FROM coinlake.latest_quotes
GROUP BY source
ORDER BY source
