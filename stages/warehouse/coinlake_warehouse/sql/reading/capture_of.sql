-- The capture that a quote was read from: the newest of an asset, or the one of a moment.
(
    SELECT capture_id FROM latest_quotes
    WHERE %(as_of)s::timestamptz IS NULL
        AND source = %(source)s AND asset = %(asset)s AND quote_currency = %(quote_currency)s
)
UNION ALL
(
    SELECT capture_id FROM quotes
    WHERE as_of = %(as_of)s
        AND source = %(source)s AND asset = %(asset)s AND quote_currency = %(quote_currency)s
    ORDER BY granularity
    LIMIT 1
);
