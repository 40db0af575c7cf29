"""The platform in containers: what its files promise, and a whole run of it."""
