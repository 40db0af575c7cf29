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
    slots_missed
FROM feeds
ORDER BY source, dataset;
