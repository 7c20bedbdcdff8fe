"""`deepsel batch`."""
