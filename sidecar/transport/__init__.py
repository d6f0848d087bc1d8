"""The wires: bindings of one method table to a gRPC implementation. Nothing but `app` imports them.

`grpcio` mounts it on `grpc.aio`. A binding knows sockets, TLS, deadlines and status trailers, and no message type.
"""
