"""Event values and their wire forms: pure functions from an event and its project facts to JSON bytes.

`model` holds the values, `money` the exact translation of amounts, and one module a wire form: `optimizely`
(Event API v1), `segment` (Batch API), `plain` (our own documented JSON, for webhook, file and stdout). No
I/O, clock or randomness.
"""
