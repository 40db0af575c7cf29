-- Counts weight or credits; a negative number gives back what was not used after all.
INSERT INTO quota_uses (source, period, starts_at, used)
VALUES (:source, :period, :starts_at, max(0, :used))
ON CONFLICT (source, period, starts_at) DO UPDATE SET used = max(0, used + :used);
