-- All quotes of the new spans were just written.
INSERT INTO touched
SELECT asset_number, span.granularity, quote.as_of
FROM staged_spans AS span
JOIN staged_assets AS asset USING (asset_number)
CROSS JOIN LATERAL (
    SELECT as_of
    FROM quotes
    WHERE source = asset.source
        AND asset = asset.asset
        AND quote_currency = asset.quote_currency
        AND granularity = span.granularity
        AND as_of BETWEEN span.first_as_of AND span.last_as_of
        AND as_of >= %(since)s
        AND as_of < %(until)s
    OFFSET 0
) AS quote
