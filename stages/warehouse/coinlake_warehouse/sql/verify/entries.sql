SELECT position, capture_id
FROM loaded_captures
WHERE position > %(after)s AND position <= %(until)s
ORDER BY position
