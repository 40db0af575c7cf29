-- When the tail last brought something new; batches of nothing but repeated answers do not count.
SELECT committed_at AS moment
FROM batches
WHERE kind = 'tail' AND quotes_new + venue_candles + instruments > 0
ORDER BY batch_id DESC
LIMIT 1;
