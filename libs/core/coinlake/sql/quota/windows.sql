-- The windows in force for a source, in the order in which they were given.
SELECT seconds, weight, stated FROM quota_windows
WHERE source = :source
ORDER BY place;
