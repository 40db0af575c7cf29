-- Windows long past; months are kept, they are twelve rows a year.
DELETE FROM quota_uses
WHERE source = :source AND period = :period AND starts_at < :before;
