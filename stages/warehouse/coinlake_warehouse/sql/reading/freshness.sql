-- How new each source's newest quotes are.
SELECT
    source,
    count(*)           AS assets,
    max(as_of)         AS newest_as_of,
    max(fetched_at)    AS newest_fetched_at,
    bool_or(synthetic) AS synthetic
FROM latest_quotes
GROUP BY source
ORDER BY source;
