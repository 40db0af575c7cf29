-- The last market cap that was said in each bucket of market time. Where none was said there is a gap.
SELECT
    $__timeGroup(as_of, '${interval:raw}', NULL)                             AS "time",
    (array_agg(market_cap ORDER BY as_of DESC))[1]::double precision         AS "market cap",
    (array_agg(fully_diluted_valuation ORDER BY as_of DESC))[1]::double precision AS "fully diluted"
FROM coinlake.quotes
WHERE source = ${source:sqlstring}
    AND asset = ${asset:sqlstring}
    AND quote_currency = ${currency:sqlstring}
    AND granularity = 'live'
    AND $__timeFilter(as_of)
GROUP BY 1
ORDER BY 1
