SELECT partition, next_offset FROM bus_offsets WHERE topic = %(topic)s AND topic_id = %(topic_id)s
