-- Slots that went by without an attempt add up.
INSERT INTO feeds (source, dataset, cadence_s, slots_missed)
VALUES (:source, :dataset, :cadence_s, :slots)
ON CONFLICT (source, dataset) DO UPDATE SET slots_missed = slots_missed + excluded.slots_missed;
