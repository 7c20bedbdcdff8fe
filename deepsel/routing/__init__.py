"""Decides, without any I/O but its own data files, which model should answer; owns no network, clock or storage."""
