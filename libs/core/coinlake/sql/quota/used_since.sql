-- Weight used in all windows of one length that begin after a moment.
SELECT coalesce(sum(used), 0) AS used FROM quota_uses
WHERE source = :source AND period = :period AND starts_at > :after;
