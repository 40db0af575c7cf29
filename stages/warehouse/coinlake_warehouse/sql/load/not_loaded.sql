-- Of these captures, the first that is not on record as loaded.
SELECT wanted.position
FROM unnest(%(positions)s::bigint[], %(capture_ids)s::uuid[]) AS wanted (position, capture_id)
WHERE NOT EXISTS (
    SELECT FROM loaded_captures
    WHERE loaded_captures.position = wanted.position AND loaded_captures.capture_id = wanted.capture_id
)
ORDER BY wanted.position
LIMIT 1
