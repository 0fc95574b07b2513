"""The web's edge: pages here, JSON in `api`. What Patchbay knows and does lives in `patchbay`."""

import importlib
import pkgutil

from flask import Blueprint, Flask

from blueprints.api import problems


def init_app(app: Flask) -> None:
    """Register every blueprint of this package (a module's `bp`), and the answer to every error."""
    for package in (__name__, f"{__name__}.api"):
        path = importlib.import_module(package).__path__
        for module in pkgutil.iter_modules(path):
            found = getattr(importlib.import_module(f"{package}.{module.name}"), "bp", None)
            if isinstance(found, Blueprint):
                app.register_blueprint(found)
    problems.init_app(app)
