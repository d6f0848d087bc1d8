"""Where events go: one small module each of the same shape, read `stdout` first, then `optimizely`.

Each declares its frozen config section beside it; `catalog` names the types; `http` is the one way out that
all HTTP destinations share. A destination decides nothing about batches, retries or pauses: that is
`sidecar.delivery`.
"""
