-- Candles that should stand against those that stand, by value. In a range, only those with all their
-- quotes in it. Those of months whose quotes have left the warehouse stand for good.
SELECT
    CASE
        WHEN found.source IS NULL THEN 'missing'
        WHEN expected.source IS NOT NULL THEN 'different'
        ELSE 'extra'
    END AS kind,
    expected,
    found
FROM candles AS expected
FULL JOIN coinlake.candles AS found USING (source, asset, quote_currency, "interval", open_time)
LEFT JOIN origins USING (source, asset, quote_currency, "interval", open_time)
WHERE expected.* IS DISTINCT FROM found.*
    AND (%(whole)s OR coalesce(origins.from_range, found.source IS NULL))
    AND open_time >= coalesce((SELECT kept_since FROM retention), '-infinity')
