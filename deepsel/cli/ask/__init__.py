"""`deepsel ask`: from what was typed to an answer on stdout, its footer and its record; routes and sends nothing itself."""
