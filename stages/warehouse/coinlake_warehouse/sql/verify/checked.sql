INSERT INTO checked
SELECT capture_id FROM staged_captures
ON CONFLICT DO NOTHING
