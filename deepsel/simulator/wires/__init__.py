"""The wires the simulator speaks, seen from the server's side: a module each, written apart from the client's."""
