-- How long ago the last batch that brought something new was committed.
SELECT extract(epoch FROM now() - committed_at)::double precision AS "since the last new row"
FROM coinlake.batches
WHERE quotes_new + venue_candles + instruments > 0
ORDER BY batch_id DESC
LIMIT 1
