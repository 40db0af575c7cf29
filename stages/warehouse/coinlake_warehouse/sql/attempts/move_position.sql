-- Positions are dense, and captures may come from several partitions in any order: the position is the last
-- one up to which there is no hole. Looked at a stretch at a time, so that a hole that stays costs no more.
UPDATE position
SET position = (
    SELECT coalesce(max(position), standing.position)
    FROM (
        SELECT position, row_number() OVER (ORDER BY position) AS place
        FROM (
            SELECT DISTINCT position FROM loaded_captures
            WHERE position > standing.position
            ORDER BY position
            LIMIT 100000
        ) AS stretch
    ) AS following
    WHERE following.position = standing.position + place
)
FROM (SELECT position FROM position) AS standing
