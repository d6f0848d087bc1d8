"""Where datafiles come from: one module for each kind of source, all of the shape of `ports.Source`.

`file`, `http` and `optimizely` declare their sections and import neither watchdog nor aiohttp; `watching` and
`transfer` do, and are loaded when a configured source needs them. No source parses a datafile or decides what
is kept.
"""
