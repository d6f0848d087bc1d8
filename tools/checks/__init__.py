"""What `make check` runs: the tools of pyproject.toml, and checks of our own for rules that no tool knows.

Each check is a module with a pure `find(…)` that returns findings, and a `main()` that reads the tree, prints
them and returns the exit status. Nothing here imports the daemon. `__main__` holds the list of steps.
"""
