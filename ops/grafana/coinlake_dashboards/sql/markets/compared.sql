-- The venues side by side in the newest bucket of the shown time that any of them has.
WITH wanted AS (
    SELECT asset
    FROM coinlake.asset_names
    WHERE source = ${source:sqlstring}
        AND venue_asset = ${asset:sqlstring}
        AND since < $__timeTo()
        AND until >= $__timeTo()
),

newest AS (
    SELECT max(newest.open_time) AS open_time
    FROM coinlake.asset_markets AS market
    -- One look into the index of each table.
    CROSS JOIN LATERAL (
        SELECT greatest(
            (
                SELECT max(open_time)
                FROM coinlake.candles
                WHERE source = market.source
                    AND asset = market.venue_asset
                    AND quote_currency = market.quote_currency
                    AND "interval" = ${interval:sqlstring}
                    AND $__timeFilter(open_time)
            ),
            (
                SELECT max(open_time)
                FROM coinlake.venue_candles
                WHERE source = market.source
                    AND asset = market.venue_asset
                    AND quote_currency = market.quote_currency
                    AND "interval" = ${interval:sqlstring}
                    AND $__timeFilter(open_time)
            )
        ) AS open_time
    ) AS newest
    WHERE market.asset = (SELECT asset FROM wanted)
)

SELECT
    open_time                                    AS "bucket",
    source,
    venue_asset                                  AS "its name",
    trim_scale(price)::text                      AS price,
    quote_currency                               AS currency,
    trim_scale(price_usd)::text                  AS "in US dollars",
    distance_bp::double precision                AS "from the median",
    as_of                                        AS "market time",
    extract(epoch FROM age)::double precision    AS "before the bucket's end",
    origin                                       AS "made of"
FROM coinlake.price_comparison
WHERE asset = (SELECT asset FROM wanted)
    AND "interval" = ${interval:sqlstring}
    AND open_time = (SELECT open_time FROM newest)
ORDER BY source, venue_asset, quote_currency
