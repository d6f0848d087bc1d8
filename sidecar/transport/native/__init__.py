"""The native wire: a sans-IO gRPC codec in Rust (`native/`), its sockets, deadlines and tasks on the event loop here.

`server` listens and stops, `connection` is one peer and its calls as handlers see them, `requests` the messages of a
stream, `one_by_one` a stream with one reply for each of them, `turns` runs what a turn of the loop brought and writes
each connection once, `deadlines` ends what is late, `sockets` binds, `tls` shows certificates, `codec` finds the
extension. Specification: docs/transport.md.
"""
