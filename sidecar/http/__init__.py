"""The face of HTTP: liveness, readiness and metrics. Knows the acts' counters, and no gRPC.

`server` binds and routes, `metrics` puts the counters into Prometheus' text form at scrape.
"""
