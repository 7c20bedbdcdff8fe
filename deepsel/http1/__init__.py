"""A small HTTP/1.1 server: requests read within bounds, answers written whole or event by event; knows no path and no wire."""
