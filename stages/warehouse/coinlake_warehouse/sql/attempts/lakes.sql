SELECT DISTINCT lake_id FROM staging_captures WHERE attempt = ANY (%(attempts)s)
