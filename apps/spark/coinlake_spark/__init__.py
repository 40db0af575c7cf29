"""The `coinlake-spark` program: from the bus to the warehouse, by Spark Structured Streaming."""
