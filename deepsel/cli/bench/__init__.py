"""`deepsel bench`: from what was typed to a report of what was measured; measures and judges nothing itself."""
