-- Never back within one topic; another topic of the same name starts anew.
INSERT INTO bus_offsets AS standing (topic, partition, topic_id, next_offset)
VALUES (%(topic)s, %(partition)s, %(topic_id)s, %(next_offset)s)
ON CONFLICT (topic, partition) DO UPDATE SET
    topic_id = excluded.topic_id,
    next_offset = CASE
        WHEN standing.topic_id = excluded.topic_id THEN greatest(standing.next_offset, excluded.next_offset)
        ELSE excluded.next_offset
    END
