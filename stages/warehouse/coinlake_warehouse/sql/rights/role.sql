-- Roles belong to the whole server, so another database's program may be making it at this moment.
DO $$
BEGIN
    IF to_regrole({name}) IS NULL THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
