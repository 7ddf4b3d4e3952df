"""Sample data."""
PLUGIN = None
