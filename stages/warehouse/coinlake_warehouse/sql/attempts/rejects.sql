INSERT INTO staged_rejects
SELECT DISTINCT ON (capture_id, path) capture_id, path, stage, reasons, original
FROM {staging_rejects}
WHERE attempt = ANY (%(attempts)s)
ORDER BY capture_id, path, stage, reasons
