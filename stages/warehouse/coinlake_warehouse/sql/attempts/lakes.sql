SELECT DISTINCT lake_id FROM staging_captures WHERE attempt = ANY (%(attempts)s) AND lake_id IS NOT NULL
