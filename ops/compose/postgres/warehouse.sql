-- The logins of the warehouse and of Airflow, and their databases; run again, each has its password anew.
-- The tables are made by the first `coinlake` that comes with the owner's login.
\set ON_ERROR_STOP on
SET log_min_error_statement = panic; -- a statement that fails here may hold a password
\getenv owner_password WAREHOUSE_OWNER_PASSWORD
\getenv loader_password WAREHOUSE_LOADER_PASSWORD
\getenv reader_password WAREHOUSE_READER_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['coinlake_reader', 'coinlake_loader', 'owner', 'spark', 'reader', 'airflow']) AS name
WHERE to_regrole(quote_ident(name)) IS NULL
\gexec
ALTER ROLE owner LOGIN PASSWORD :'owner_password';
ALTER ROLE spark LOGIN PASSWORD :'loader_password';
ALTER ROLE reader LOGIN PASSWORD :'reader_password';
ALTER ROLE airflow LOGIN PASSWORD :'airflow_password';
GRANT coinlake_loader TO spark;
GRANT coinlake_reader TO reader, owner;
ALTER ROLE reader SET default_transaction_read_only = on;
ALTER ROLE reader SET search_path = coinlake;

SELECT format('CREATE DATABASE %I OWNER %I', database, login)
FROM (VALUES ('coinlake', 'owner'), ('airflow', 'airflow')) AS wanted (database, login)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = database)
\gexec
-- Nobody but its owner and who is named here enters a database.
REVOKE CONNECT ON DATABASE coinlake, airflow, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE coinlake TO spark, reader;
