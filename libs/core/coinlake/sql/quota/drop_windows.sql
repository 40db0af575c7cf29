-- No window is in force for a source, until others are written.
DELETE FROM quota_windows
WHERE source = :source;
