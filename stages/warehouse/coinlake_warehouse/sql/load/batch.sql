INSERT INTO batches (
    kind, first_position, last_position, captures, quotes_read, quotes_new, rejects, candles, venue_candles,
    instruments, oldest_received_at, started_at, committed_at, traceparent
)
SELECT
    %(kind)s, coalesce(min(position), 0), coalesce(max(position), 0), count(*), %(quotes_read)s, %(quotes_new)s, %(rejects)s, %(candles)s,
    %(venue_candles)s, %(instruments)s, min(received_at), %(started_at)s, %(now)s, %(traceparent)s
FROM staged_captures
RETURNING batch_id, quotes_read, quotes_new, rejects, candles, venue_candles, instruments
