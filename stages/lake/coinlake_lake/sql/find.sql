SELECT
    position, source, dataset, slot, page, sha256, size, status, url, params, headers, requested_at,
    received_at, run_id, plugin_version, traceparent, synthetic, CAST(body AS BLOB) AS body
FROM captures
WHERE capture_id = :id
