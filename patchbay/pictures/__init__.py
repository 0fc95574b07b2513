"""Pictures as bytes: what an upload really is, designs set onto templates, and small versions for the gallery.

What does not live here: whose picture it is and where it is stored (`patchbay.assets`). Pillow is imported by the
modules of this package only, and whoever uses them imports them late, because it makes an idle process larger.
"""
