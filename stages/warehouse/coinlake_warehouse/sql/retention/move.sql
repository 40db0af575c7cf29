-- Forward only: what has left does not come back by itself.
UPDATE retention SET kept_since = greatest(kept_since, %(before)s)
