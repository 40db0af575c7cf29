-- Every feed that was ever scheduled or attempted, as `FeedState` reads it.
SELECT
    source,
    dataset,
    cadence_s,
    last_slot,
    last_attempt_at,
    last_success_at,
    last_error,
    failures,
    stretched_to_s,
    next_slot_at,
    slots_missed,
    holds.until  AS held_until,
    holds.reason AS held_for
FROM feeds
LEFT JOIN holds USING (source)
ORDER BY source, dataset;
