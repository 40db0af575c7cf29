-- Quotes of the new spans: they have no other to stand beside.
INSERT INTO quotes ({columns})
SELECT {columns}
FROM {staging_quotes}
WHERE attempt = ANY (%(attempts)s)
    AND (attempt, span) IN (SELECT attempt, span_number FROM staged_spans)
    AND as_of >= coalesce((SELECT kept_since FROM retention), '-infinity')
