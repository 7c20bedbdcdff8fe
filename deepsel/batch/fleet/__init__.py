"""One job carried by many machines: each runs the same command, and the lines are dealt by a ledger on the fleet's server."""
