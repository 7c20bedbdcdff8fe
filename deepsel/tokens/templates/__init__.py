"""How each maker writes a request out for its model; pure, counts nothing."""
