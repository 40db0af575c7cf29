-- Each mapped asset in the newest bucket of the shown time that any venue has, and the venue furthest from the
-- median there. One asset at a time, by its whole key: that takes milliseconds.
SELECT
    assets.asset,
    assets.name,
    leg.source,
    leg.quote_currency                                   AS currency,
    trim_scale(leg.price_usd)::text                      AS "in US dollars",
    trim_scale(leg.median_usd)::text                     AS "median",
    leg.distance_bp::double precision                    AS "from the median",
    leg.legs                                             AS prices,
    leg.open_time                                        AS bucket,
    extract(epoch FROM leg.age)::double precision        AS "before the bucket's end"
FROM coinlake.assets
CROSS JOIN LATERAL (
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
    WHERE market.asset = assets.asset
) AS newest
CROSS JOIN LATERAL (
    SELECT *
    FROM coinlake.price_comparison
    WHERE asset = assets.asset
        AND "interval" = ${interval:sqlstring}
        AND open_time = newest.open_time
        AND legs > 1
        AND distance_bp IS NOT NULL
    ORDER BY abs(distance_bp) DESC
    LIMIT 1
) AS leg
ORDER BY abs(leg.distance_bp) DESC
LIMIT 50
