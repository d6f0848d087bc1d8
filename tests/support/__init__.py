"""What several test directories need: the daemon as a process, and all that it is made of inside the test's own process.

`daemon` starts `sidecar serve` for plain (synchronous) tests; `served` runs everything that `app` builds on real sockets
in the running event loop; `refusals` reads what a failed call says; `datafiles` writes datafiles to serve.
"""
