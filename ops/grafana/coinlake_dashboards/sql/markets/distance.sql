-- How far each venue's price is from the median of all, in hundredths of a percent.
SELECT
    $__timeGroup(open_time, '${interval:raw}', NULL)      AS "time",
    concat_ws(' ', source, venue_asset, quote_currency)   AS metric,
    distance_bp::double precision                         AS distance
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
