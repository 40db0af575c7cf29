-- Which dead letters are open, of one source or rule if asked: what a replay of all of them is given.
SELECT capture_id, path
FROM dead_letters
WHERE resolved_at IS NULL
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(rule)s::text IS NULL
       OR EXISTS (SELECT FROM unnest(reasons) AS reason WHERE split_part(reason, ':', 1) = %(rule)s))
ORDER BY rejected_at, capture_id, path;
