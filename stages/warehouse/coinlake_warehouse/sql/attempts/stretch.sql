-- What the staged quotes reach: the days that hold them all, and the months; and how many they are.
SELECT
    date_trunc('day', min(as_of)) AS since,
    date_trunc('day', max(as_of)) + interval '1 day' AS until,
    array_agg(DISTINCT date_trunc('month', as_of)) AS months,
    count(*) AS quotes
FROM {staging_quotes}
WHERE attempt = ANY (%(attempts)s)
HAVING count(*) > 0
