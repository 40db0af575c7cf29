SELECT DISTINCT source FROM coinlake.latest_quotes ORDER BY source
