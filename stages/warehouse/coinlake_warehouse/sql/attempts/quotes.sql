-- All other quotes: of each key the row that was received first.
INSERT INTO staged_quotes ({columns})
SELECT DISTINCT ON (source, asset, quote_currency, granularity, as_of) {columns}
FROM {staging_quotes}
WHERE attempt = ANY (%(attempts)s)
    AND (attempt, span) NOT IN (SELECT attempt, span_number FROM staged_spans)
    AND as_of >= coalesce((SELECT kept_since FROM retention), '-infinity')
ORDER BY source, asset, quote_currency, granularity, as_of, fetched_at, capture_id, path
