"""`deepsel models`: the catalog and the user's own rows, their prices now and next, and new prices taken over."""
