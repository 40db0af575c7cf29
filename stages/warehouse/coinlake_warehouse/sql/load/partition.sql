SELECT make_quotes_partition(%(month)s)
