-- Upserts instruments: the answer received last stands.
INSERT INTO instruments AS standing
SELECT DISTINCT ON (source, instrument) *
FROM staged_instruments
ORDER BY source, instrument, fetched_at DESC, capture_id DESC, path DESC
ON CONFLICT (source, instrument) DO UPDATE SET
    asset = excluded.asset,
    quote_currency = excluded.quote_currency,
    status = excluded.status,
    price_step = excluded.price_step,
    amount_step = excluded.amount_step,
    fetched_at = excluded.fetched_at,
    extra = excluded.extra,
    synthetic = excluded.synthetic,
    capture_id = excluded.capture_id,
    path = excluded.path
WHERE (excluded.fetched_at, excluded.capture_id, excluded.path)
    >= (standing.fetched_at, standing.capture_id, standing.path)
    AND excluded.* *<> standing.*
