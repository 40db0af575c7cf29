-- Open dead letters of the batch's captures that are refused no more.
UPDATE dead_letters AS letter
SET resolved_at = %(now)s
FROM (SELECT DISTINCT capture_id FROM staged_captures) AS capture
WHERE letter.capture_id = capture.capture_id
    AND letter.resolved_at IS NULL
    AND NOT EXISTS (
        SELECT
        FROM staged_rejects AS reject
        WHERE reject.capture_id = letter.capture_id AND reject.path = letter.path
    )
