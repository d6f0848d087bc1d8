"""The faces of gRPC: message in, message out. Handlers know protobuf and the domain, and no transport's type.

`methods` defines the table that a transport mounts, `refusals` maps every error once, `requests` parses and validates,
and one module a service holds its handlers. `records` and `answers` are the codecs that keep messages as bytes.
"""
