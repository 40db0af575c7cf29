"""The warehouse: schema, loading, the embedded server and verification."""
