SELECT count(*), pg_total_relation_size(%(partition)s::regclass) FROM {partition}
