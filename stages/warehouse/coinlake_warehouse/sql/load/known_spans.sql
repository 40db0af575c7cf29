-- Takes out the spans in which quotes stand already, and names them. The rows of the others are all new.
DELETE FROM staged_spans AS span
USING staged_assets AS asset
WHERE span.asset_number = asset.asset_number
    AND EXISTS (
        SELECT
        FROM quotes
        WHERE source = asset.source
            AND asset = asset.asset
            AND quote_currency = asset.quote_currency
            AND granularity = span.granularity
            AND as_of BETWEEN span.first_as_of AND span.last_as_of
            AND as_of >= %(since)s
            AND as_of < %(until)s
        OFFSET 0 -- asked span by span: the planner must not read all quotes for it
    )
RETURNING span.span_number
