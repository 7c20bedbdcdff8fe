"""The Python interface: the verbs that `import deepsel` offers, on a session. The one room besides `cli` that reads the environment."""
