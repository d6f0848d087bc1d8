"""Stores of sticky profiles: `memory`, `sqlite` and `redis`, one small module each of the same shape.

`section` is their configuration, `sqlite` also keeps forced variations, on the thread and in the tables of `file`.
Imported by `app` alone; `redis` only when it is configured, since it needs an extra.
"""
