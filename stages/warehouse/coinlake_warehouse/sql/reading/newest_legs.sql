-- Each asset's prices in the newest bucket in which two venues have a price in US dollars, and how far that
-- bucket lies behind the asset's newest one. Looked for in so many buckets from where the second venue ends.
SELECT
    leg.asset, assets.name, leg.open_time, leg.source, leg.venue_asset, leg.quote_currency, leg.price,
    leg.usd_rate, leg.price_usd, leg.median_usd, leg.distance_bp, leg.face_distance_bp, leg.as_of, leg.age,
    leg.legs, leg.synthetic, shared.newest - leg.open_time AS behind
FROM assets
CROSS JOIN LATERAL (
    -- From one bucket to the next older one that two venues may share, until they do.
    WITH RECURSIVE looked (open_time, newest, since, venues, legs) AS (
        SELECT 'infinity'::timestamptz, NULL::timestamptz, NULL::timestamptz, 0::bigint, NULL::price_comparison[]
        UNION ALL
        SELECT
            candidate.ends[2],
            coalesce(looked.newest, candidate.ends[1]),
            coalesce(looked.since, candidate.ends[2] - %(buckets)s * candle_width(%(interval)s)),
            compared.venues,
            compared.legs
        FROM looked
        CROSS JOIN LATERAL (
            -- Where each venue's prices before that bucket end, newest first: from the second on there are two.
            SELECT array_agg(open_time ORDER BY open_time DESC) AS ends
            FROM (
                SELECT max(open_time) AS open_time
                FROM asset_markets AS market
                CROSS JOIN LATERAL (
                    SELECT greatest(
                        (
                            SELECT max(open_time)
                            FROM candles
                            WHERE source = market.source
                                AND asset = market.venue_asset
                                AND quote_currency = market.quote_currency
                                AND "interval" = %(interval)s
                                AND open_time < least(looked.open_time, market.until)
                        ),
                        (
                            SELECT max(open_time)
                            FROM venue_candles
                            WHERE source = market.source
                                AND asset = market.venue_asset
                                AND quote_currency = market.quote_currency
                                AND "interval" = %(interval)s
                                AND open_time < least(looked.open_time, market.until)
                        )
                    ) AS open_time
                ) AS newest
                WHERE market.asset = assets.asset AND newest.open_time >= market.since
                GROUP BY source
            ) AS venue
        ) AS candidate
        CROSS JOIN LATERAL (
            SELECT
                count(DISTINCT source) FILTER (WHERE price_usd IS NOT NULL) AS venues,
                array_agg(each::price_comparison) AS legs
            FROM (
                SELECT *
                FROM price_comparison
                WHERE asset = assets.asset
                    AND "interval" = %(interval)s
                    AND open_time = candidate.ends[2]
                OFFSET 0 -- asked bucket by bucket: the planner must not compare all prices for it
            ) AS each
        ) AS compared
        WHERE looked.venues < 2 AND candidate.ends[2] > coalesce(looked.since, '-infinity')
    )
    SELECT newest, legs FROM looked WHERE venues > 1
) AS shared
CROSS JOIN unnest(shared.legs) AS leg
ORDER BY leg.asset, leg.source, leg.venue_asset, leg.quote_currency;
