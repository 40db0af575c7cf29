-- What the schedule decided; missed slots add up.
INSERT INTO feeds (source, dataset, cadence_s, next_slot_at, stretched_to_s, slots_missed)
VALUES (:source, :dataset, :cadence_s, :next_slot_at, :stretched_to_s, :missed)
ON CONFLICT (source, dataset) DO UPDATE SET
    cadence_s      = excluded.cadence_s,
    next_slot_at   = excluded.next_slot_at,
    stretched_to_s = excluded.stretched_to_s,
    slots_missed   = slots_missed + excluded.slots_missed;
