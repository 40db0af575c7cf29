-- Which dead letters are open, of one source or rule and of slots in [since, until) if asked: what a replay of
-- all of them is given.
SELECT capture_id, path
FROM dead_letters
WHERE resolved_at IS NULL
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(rule)s::text IS NULL
       OR EXISTS (SELECT FROM unnest(reasons) AS reason WHERE split_part(reason, ':', 1) = %(rule)s))
  AND (%(since)s::timestamptz IS NULL OR slot >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR slot < %(until)s)
ORDER BY rejected_at, capture_id, path;
