"""The web's edge: pages here, JSON in `api`. What Patchbay knows and does lives in `patchbay`."""
