"""Tools of the repository, run by `make`; nothing here is shipped."""
