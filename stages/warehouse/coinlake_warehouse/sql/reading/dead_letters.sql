-- Open dead letters, newest first, of one source or rule if asked. A rule is what stands before the
-- colon of a reason.
SELECT
    capture_id, path, stage, source, dataset, slot, reasons, received_at, rejected_at,
    octet_length(original) AS original_bytes
FROM dead_letters
WHERE resolved_at IS NULL
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(rule)s::text IS NULL
       OR EXISTS (SELECT FROM unnest(reasons) AS reason WHERE split_part(reason, ':', 1) = %(rule)s))
ORDER BY rejected_at DESC, capture_id, path
LIMIT %(limit)s OFFSET %(offset)s;
