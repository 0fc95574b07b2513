"""Benchmarks: how fast and how small Patchbay is, each beside a yardstick or a target (`make bench`).

What does not live here: whether anything is right (`tests`). How the figures are taken is in docs/performance.md.
"""
