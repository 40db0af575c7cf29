-- The clock was set back to before the hold began: the same wait, counted from now.
UPDATE holds
SET since = :since, until = :until
WHERE source = :source;
