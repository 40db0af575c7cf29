-- How many captures up to a position of the lake are loaded: all up to where loading stands, and behind the
-- first one that is missing there those that came by other partitions.
WITH standing AS (
    SELECT coalesce(max(position), 0) AS position FROM position
)

SELECT
    least(standing.position, %(until)s) + (
        SELECT count(DISTINCT position)
        FROM loaded_captures
        WHERE loaded_captures.position > standing.position AND loaded_captures.position <= %(until)s
    ) AS captures
FROM standing;
