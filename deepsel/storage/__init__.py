"""Where things are kept on this machine: files that are whole or absent, and one SQLite file at a time; knows no contents."""
