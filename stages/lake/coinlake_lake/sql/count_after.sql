SELECT count(*) FROM captures WHERE position > :after
