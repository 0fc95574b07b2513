"""Everything that Patchbay knows and does, without HTTP requests or pages; those are the `blueprints`' business."""

__version__ = "0.1.0"
