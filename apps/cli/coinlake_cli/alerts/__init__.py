"""Alerts of the embedded profile: what Prometheus and Alertmanager do for the distributed one.

`rules` says what is wrong by what was seen, `episodes` remembers when it began and ended, `watching` looks
again and again, `notices` tells whoever wants to know.
"""
