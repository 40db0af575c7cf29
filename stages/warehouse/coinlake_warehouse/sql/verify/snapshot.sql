SELECT position, lake_id FROM coinlake.position
