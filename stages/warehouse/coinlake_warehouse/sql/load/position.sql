SELECT position, lake_id FROM position
