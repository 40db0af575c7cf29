-- Dead letters that are still open, by when they were refused: load time, not market time.
SELECT
    $__timeGroup(rejected_at, '$__interval') AS "time",
    source                                   AS metric,
    count(*)::double precision               AS letters
FROM coinlake.dead_letters
WHERE resolved_at IS NULL AND $__timeFilter(rejected_at)
GROUP BY 1, 2
ORDER BY 1, 2
