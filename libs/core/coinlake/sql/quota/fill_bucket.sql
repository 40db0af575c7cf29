-- When a source's bucket will be full again from now on.
INSERT INTO quota_buckets (source, full_at, drawn_at)
VALUES (:source, :full_at, :drawn_at)
ON CONFLICT (source) DO UPDATE SET
    full_at  = excluded.full_at,
    drawn_at = excluded.drawn_at;
