-- The first batch ever makes the row that loaders queue at.
INSERT INTO position (position, lake_id) VALUES (0, %(lake_id)s)
ON CONFLICT DO NOTHING
