"""A refine step for Coinlake: what is quoted in dollars is quoted in euros too."""
