-- Whoever reads quotes now is let finish; those who come meanwhile wait behind us, so not for long.
SET LOCAL lock_timeout = '10s'
