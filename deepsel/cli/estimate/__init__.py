"""`deepsel estimate`: from what was typed to a report of what text costs; counts and prices nothing itself."""
