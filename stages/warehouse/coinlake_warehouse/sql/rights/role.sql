-- Roles belong to the whole server, so another database's program may be making it at this moment.
DO $$
BEGIN
    IF to_regrole('coinlake_reader') IS NULL THEN
        CREATE ROLE coinlake_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
