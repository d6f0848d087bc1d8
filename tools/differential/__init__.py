"""Every decision of ours against the reference, on generated cases: `python -m tools.differential`.

`people` and `writing` generate, `answers` holds what is compared, `ours` and `reference` ask the two engines, `rulings`
is the closed table of differences that are meant, `running` counts, `minimal` cuts a case down, `__main__` prints.
Nothing here is part of the daemon. What it shows: docs/differential.md.
"""
