"""The root: composes the configuration, constructs every adapter, owns the one TaskGroup, orders start and stop.

`settings` is the schema, `build` makes the parts, `serve` is the life of the daemon. The only package that knows
all the others; nothing but the command line imports it.
"""
