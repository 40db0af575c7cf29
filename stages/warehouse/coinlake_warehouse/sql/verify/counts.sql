SELECT
    (SELECT count(*) FROM {table}) AS expected,
    (SELECT count(*) FROM coinlake.{table}) AS found
