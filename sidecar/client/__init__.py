"""Speaks to a running sidecar, for the command line. The client for applications is `clients/python`.

Blocking, one call a channel: a command asks one thing and ends. `channel` gets in, each other module is one question;
they are imported one by one, because `sidecar health` runs every few seconds.
"""
