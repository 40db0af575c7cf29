SELECT position, capture_id
FROM captures
WHERE position > :after AND position <= :until
ORDER BY position
