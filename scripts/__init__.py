"""Commands that are typed at install time or by a developer, one file each.

Nothing of the running product lives here; the Makefile calls these files.
"""
