-- The body as it was stored, also where a flipped bit made its text unreadable.
SELECT
    position, source, dataset, slot, page, sha256, size, status, url, params, headers, requested_at,
    received_at, run_id, plugin_version, traceparent, synthetic, CAST(body AS BLOB) AS body
FROM captures
WHERE position > :after
    AND (:source IS NULL OR source = :source)
    AND (:since IS NULL OR slot >= :since)
    AND (:until IS NULL OR slot < :until)
ORDER BY position
LIMIT :limit
