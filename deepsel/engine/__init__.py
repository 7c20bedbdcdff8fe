"""Carries requests out: plan, cache, attempts, fall-back; knows no command line. `prepare` plans, `run` carries out."""
