-- Of whatever attempts: those of a batch that was closed, and of tasks that failed.
TRUNCATE {staging_captures}, {staging_rejects}, {staging_spans}, {staging_quotes}, {staging_candles}, {staging_instruments}
