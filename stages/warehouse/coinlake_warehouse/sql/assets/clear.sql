-- Whoever writes the map waits for the other; readers see the old one until the commit.
LOCK TABLE assets IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM asset_names;
DELETE FROM assets;
