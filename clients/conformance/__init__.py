"""Conformance of the clients: the same steps to the program of every language, their lines compared. See README.md."""
