-- The hold on a source, over or not.
SELECT since, until, reason FROM holds
WHERE source = :source;
