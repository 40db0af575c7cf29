-- Weight or credits used in one period so far.
SELECT used FROM quota_uses
WHERE source = :source AND period = :period AND starts_at = :starts_at;
