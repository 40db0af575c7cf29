-- What was counted in windows of a length that is in force no more.
DELETE FROM quota_uses
WHERE source = :source AND period = :period;
