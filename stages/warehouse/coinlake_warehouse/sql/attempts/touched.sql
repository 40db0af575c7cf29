-- All quotes of the new spans were just written.
INSERT INTO touched
SELECT asset_number, span.granularity, quote.as_of
FROM {staging_quotes} AS quote
JOIN staged_spans AS span ON span.attempt = quote.attempt AND span.span_number = quote.span
WHERE as_of >= coalesce((SELECT kept_since FROM retention), '-infinity')
