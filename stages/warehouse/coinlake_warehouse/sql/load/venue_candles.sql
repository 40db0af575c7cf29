-- Upserts venues' own candles. Of several answers about one the one received last stands, whatever the order
-- they are loaded in: a venue may still complete a candle that it served early.
INSERT INTO venue_candles AS standing
SELECT DISTINCT ON (source, asset, quote_currency, "interval", open_time) *
FROM staged_candles
ORDER BY
    source, asset, quote_currency, "interval", open_time,
    fetched_at DESC, capture_id DESC, path DESC
ON CONFLICT (source, asset, quote_currency, "interval", open_time) DO UPDATE SET
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume = excluded.volume,
    quote_volume = excluded.quote_volume,
    trades = excluded.trades,
    fetched_at = excluded.fetched_at,
    extra = excluded.extra,
    synthetic = excluded.synthetic,
    capture_id = excluded.capture_id,
    path = excluded.path
WHERE (excluded.fetched_at, excluded.capture_id, excluded.path)
    >= (standing.fetched_at, standing.capture_id, standing.path)
    AND excluded.* *<> standing.*
