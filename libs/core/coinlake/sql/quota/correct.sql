-- The venue's own count; never lowers ours, which holds calls that it has not seen yet.
INSERT INTO quota_uses (source, period, starts_at, used)
VALUES (:source, :period, :starts_at, :used)
ON CONFLICT (source, period, starts_at) DO UPDATE SET used = max(used, excluded.used);
