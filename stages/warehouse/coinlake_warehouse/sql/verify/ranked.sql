-- How many differences of each kind there are, with some of each.
WITH compared AS ({compared}),
ranked AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY kind) AS total,
        row_number() OVER (PARTITION BY kind) AS place
    FROM compared
)
SELECT kind, total, row_to_json(expected)::text, row_to_json(found)::text
FROM ranked
WHERE place <= %(examples)s
ORDER BY kind, place
