"""`deepsel conversations`: what is kept of them, shown, written out and deleted."""
