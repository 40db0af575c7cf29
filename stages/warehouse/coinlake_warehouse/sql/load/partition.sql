-- A month of quotes. Made beside the table and then attached, because "PARTITION OF" would shut readers
-- out until the batch commits; attaching does not.
CREATE TABLE {partition} (LIKE quotes INCLUDING ALL);
COMMENT ON TABLE {partition} IS {comment};
ALTER TABLE quotes ATTACH PARTITION {partition} FOR VALUES FROM ({first}) TO ({next});
