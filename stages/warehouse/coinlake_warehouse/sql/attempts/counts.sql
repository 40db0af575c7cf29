-- How many rows each table has of the named attempts: fewer than were staged means that the server lost them.
SELECT
    (SELECT count(*) FROM {staging_captures} WHERE attempt = ANY (%(attempts)s))
    + (SELECT count(*) FROM {staging_rejects} WHERE attempt = ANY (%(attempts)s))
    + (SELECT count(*) FROM {staging_spans} WHERE attempt = ANY (%(attempts)s))
    + (SELECT count(*) FROM {staging_quotes} WHERE attempt = ANY (%(attempts)s))
    + (SELECT count(*) FROM {staging_candles} WHERE attempt = ANY (%(attempts)s))
    + (SELECT count(*) FROM {staging_instruments} WHERE attempt = ANY (%(attempts)s))
