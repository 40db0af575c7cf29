-- What the staged quotes reach: the days that hold them all, and the months.
SELECT
    date_trunc('day', min(as_of)) AS since,
    date_trunc('day', max(as_of)) + interval '1 day' AS until,
    array_agg(DISTINCT date_trunc('month', as_of)) AS months
FROM staged_quotes
HAVING count(*) > 0
