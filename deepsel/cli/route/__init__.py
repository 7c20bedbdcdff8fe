"""`deepsel route`: what the router does with one's own prompts; routes nothing itself."""
