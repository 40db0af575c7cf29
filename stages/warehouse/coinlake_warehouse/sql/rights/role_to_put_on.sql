SELECT rolname FROM pg_roles WHERE rolname = 'coinlake_reader' AND pg_has_role(oid, 'MEMBER')
