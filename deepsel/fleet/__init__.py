"""What the machines of a fleet know together, at home on one Redis server: the ledger of a job."""
