-- Whoever holds this row loads; the others wait here.
SELECT position, lake_id FROM position FOR UPDATE
