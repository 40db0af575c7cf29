-- Of two holds the one that ends later counts.
INSERT INTO holds (source, since, until, reason)
VALUES (:source, :since, :until, :reason)
ON CONFLICT (source) DO UPDATE SET
    since  = excluded.since,
    until  = excluded.until,
    reason = excluded.reason
WHERE excluded.until > until;
