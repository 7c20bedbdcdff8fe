"""deepsel: the right language model for each request, its exact cost, and honest latency figures, from the shell."""

__version__ = "0.1.0"
