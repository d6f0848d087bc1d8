"""The conformance program of the Python client: `python -m clients.python.conformance`."""
