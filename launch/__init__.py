"""Start, watch and stop Patchbay's processes as one group: embedded Redis, web, workers, sandbox (`python -m launch`).

What each of them does lives in `app`, `jobs` and `sandbox`; nothing imports this package.
"""
