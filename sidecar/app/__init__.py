"""The root: composes the configuration, constructs every adapter, owns the one TaskGroup, orders start and stop.

`settings` is the schema and `configured` what a start is told; `adapters` makes what touches the world, `state` the
stores that decisions read, `build` puts the parts together, `serve` is the life of the daemon. The only package that
knows all the others; nothing but the command line imports it.
"""
