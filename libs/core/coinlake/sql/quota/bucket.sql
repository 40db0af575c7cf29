-- When a source's bucket is full again, and when it was last drawn from.
SELECT full_at, drawn_at FROM quota_buckets
WHERE source = :source;
