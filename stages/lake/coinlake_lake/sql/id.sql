SELECT lake_id FROM lake
