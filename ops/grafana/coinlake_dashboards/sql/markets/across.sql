-- The asset at every venue that the map of assets names for it: its price in US dollars, or how far that is from
-- the median of all, in hundredths of a percent.
SELECT
    $__timeGroup(open_time, '${interval:raw}', NULL)      AS "time",
    concat_ws(' ', source, venue_asset, quote_currency)   AS metric,
    {{column}}::double precision AS {{shown_as}}
FROM coinlake.price_comparison
WHERE asset = (
        SELECT asset
        FROM coinlake.asset_names
        WHERE source = ${source:sqlstring}
            AND venue_asset = ${asset:sqlstring}
            AND since < $__timeTo()
            AND until >= $__timeTo()
    )
    AND "interval" = ${interval:sqlstring}
    AND $__timeFilter(open_time)
ORDER BY 1, 2
