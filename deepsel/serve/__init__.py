"""A local address that speaks the providers' wires, so that other people's programs route, cache, count and stay within budget."""
