SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'coinlake.quotes'::regclass
