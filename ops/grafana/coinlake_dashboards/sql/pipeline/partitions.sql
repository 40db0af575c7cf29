-- How far each partition of the bus was loaded. Only where captures come by a bus.
SELECT topic, partition, next_offset AS "next offset"
FROM coinlake.bus_offsets
ORDER BY topic, partition
