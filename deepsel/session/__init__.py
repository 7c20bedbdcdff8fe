"""One process's dealings, opened once and closed once: what is asked, kept warm and reported on. Knows no terminal and no command line."""
