"""One module or folder for each platform that the sandbox plays; `sandbox.platform.discover` finds them here.

Nothing shared between platforms lives here.
"""
