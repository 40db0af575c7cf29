SELECT * FROM captures
WHERE position > :after
    AND (:source IS NULL OR source = :source)
    AND slot >= :since
    AND slot < :until
ORDER BY position
LIMIT :limit
