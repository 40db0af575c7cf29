SELECT * FROM captures WHERE capture_id = :id
