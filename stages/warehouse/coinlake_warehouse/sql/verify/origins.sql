-- The buckets of one interval around the expected quotes.
INSERT INTO origins
SELECT
    source, asset, quote_currency, %(interval)s, date_bin(%(width)s, as_of, 'epoch'),
    bool_and(checked.capture_id IS NOT NULL)
FROM coinlake.quotes
JOIN (
    SELECT min(as_of) - interval '1 day' AS since, max(as_of) + interval '1 day' AS until FROM quotes
) AS span ON as_of BETWEEN span.since AND span.until
LEFT JOIN checked USING (capture_id)
WHERE granularity = ANY (%(touching)s)
GROUP BY 1, 2, 3, 5
