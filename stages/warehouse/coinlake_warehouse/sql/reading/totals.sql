-- What has been loaded so far. `batches` adds up what `quotes` would take minutes to count, and the
-- partial index counts open dead letters without visiting the resolved ones.
SELECT
    (SELECT coalesce(sum(captures) FILTER (WHERE kind = 'tail'), 0) FROM batches)::bigint AS captures,
    (SELECT coalesce(sum(quotes_new), 0) FROM batches)::bigint                            AS quotes,
    (SELECT count(*) FROM batches)                                                        AS batches,
    (SELECT count(*) FROM latest_quotes)                                                  AS assets,
    (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL)                         AS dead_letters,
    (SELECT coalesce(max(position), 0) FROM position)                                     AS position;
