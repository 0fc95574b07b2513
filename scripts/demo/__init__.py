"""`make demo`: the whole journey over all platforms without a browser, step by step (`python -m scripts.demo`).

`hub` speaks to a hub and finds or starts one, `journey` says what is done there.
"""
