"""A local stand-in for every platform: the other side of the wire, spoken as the platforms' own documents say.

Shares no code with the product that talks to it, so that one misreading of a platform cannot pass on both sides.
"""

from sandbox.app import create_app
from sandbox.server import running, serve

__all__ = ["create_app", "running", "serve"]
