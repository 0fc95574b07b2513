"""The queue's edge: an id comes in, one function of `patchbay` is called, the outcome is on a row."""
