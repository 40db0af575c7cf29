-- What the schedule decided about a feed's next slot.
INSERT INTO feeds (source, dataset, cadence_s, next_slot_at, stretched_to_s)
VALUES (:source, :dataset, :cadence_s, :next_slot_at, :stretched_to_s)
ON CONFLICT (source, dataset) DO UPDATE SET
    cadence_s      = excluded.cadence_s,
    next_slot_at   = excluded.next_slot_at,
    stretched_to_s = excluded.stretched_to_s;
