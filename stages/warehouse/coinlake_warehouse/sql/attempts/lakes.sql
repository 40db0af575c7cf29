-- The lakes of the named attempts' captures, those with the most first.
SELECT lake_id
FROM {staging_captures}
WHERE attempt = ANY (%(attempts)s) AND lake_id IS NOT NULL
GROUP BY lake_id
ORDER BY count(*) DESC, lake_id
