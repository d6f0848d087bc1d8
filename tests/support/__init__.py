"""What several test directories need: the daemon as a process, and all that it is made of inside the test process.

`daemon` starts `sidecar serve` for plain (synchronous) tests; `served` runs all that `app` builds on real sockets in
the running event loop; `refusals` reads what a failed call says.
"""
