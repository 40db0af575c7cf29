-- Captures that the server itself refused; nothing else of them can be in the warehouse.
SELECT capture_id FROM coinlake.dead_letters WHERE stage = 'load' AND resolved_at IS NULL
