-- The sums of all loaded captures, a range of positions at a time, as `coinlake.account` makes them. A shift
-- rounds down, also where a position was made negative; xor gives the same in any order.
SELECT
    position >> %(range_bits)s AS number,
    count(*) AS captures,
    bit_xor(
        ('x' || encode(substr(sha256(int8send(position) || uuid_send(capture_id)), 1, 8), 'hex'))::bit(64)::bigint
    ) AS digest
FROM loaded_captures
GROUP BY number
