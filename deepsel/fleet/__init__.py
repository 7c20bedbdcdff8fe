"""What the machines of a fleet know together, at home on one Redis server: a job's ledger, budgets, limits, cool-downs."""
