INSERT INTO captures (
    capture_id, source, dataset, slot, page, sha256, size, status, url, params, headers,
    requested_at, received_at, run_id, plugin_version, traceparent, synthetic, body
)
VALUES (
    :capture_id, :source, :dataset, :slot, :page, :sha256, :size, :status, :url, :params, :headers,
    :requested_at, :received_at, :run_id, :plugin_version, :traceparent, :synthetic, :body
)
