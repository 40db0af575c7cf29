-- When the batch's captures were received, by source: how long they took to become rows.
SELECT source, array_agg(received_at)
FROM staged_captures
WHERE position IS NOT NULL
GROUP BY source
