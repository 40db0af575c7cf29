-- A login that only reads. Group roles do not pass their settings on, so the login gets its own.
DO $$
BEGIN
    IF to_regrole(quote_ident({name})) IS NULL THEN
        CREATE ROLE {login};
    END IF;
END
$$;
ALTER ROLE {login} LOGIN PASSWORD {password};
ALTER ROLE {login} SET default_transaction_read_only = on;
ALTER ROLE {login} SET search_path = coinlake;
GRANT coinlake_reader TO {login};
