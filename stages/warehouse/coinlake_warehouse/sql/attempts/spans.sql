-- The spans of the named attempts, but for those that an earlier one of the same asset reaches into: rows of two
-- attempts about one moment must meet.
INSERT INTO staged_spans (attempt, span_number, asset_number, granularity, first_as_of, last_as_of)
SELECT attempt, span, asset_number, granularity, first_as_of, last_as_of
FROM (
    SELECT
        attempt, span, asset_number, granularity, first_as_of, last_as_of,
        max(last_as_of) OVER (
            PARTITION BY asset_number, granularity
            ORDER BY first_as_of
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached_before
    FROM {staging_spans}
    JOIN staged_assets USING (source, asset, quote_currency)
    WHERE attempt = ANY (%(attempts)s)
) AS told
WHERE reached_before IS NULL OR reached_before < first_as_of
