SELECT * FROM captures WHERE position > :after ORDER BY position LIMIT :limit
