INSERT INTO {staged} ({columns}) SELECT {columns} FROM {staging} WHERE attempt = ANY (%(attempts)s)
