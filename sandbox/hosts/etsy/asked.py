"""One call as the methods get it: the request, who makes it, and the numbers in its path.

What is done with it lives in `methods` and `image_methods`.
"""

from dataclasses import dataclass

from werkzeug.wrappers import Request

from sandbox.hosts.etsy.access import Caller
from sandbox.hosts.etsy.listings import Listings
from sandbox.hosts.etsy.refusals import EtsyRefused, no_listing
from sandbox.hosts.etsy.sellers import Shop, shop_with
from sandbox.store import Document


@dataclass(frozen=True, slots=True)
class Asked:
    """One call; `place` holds the numbers in its path by name."""

    request: Request
    caller: Caller
    place: dict[str, int]

    def shop(self) -> Shop:
        """The shop in the path; raises EtsyRefused 404."""
        shop = shop_with(self.place["shop"])
        if shop is None:
            raise EtsyRefused(404, f"Could not find Shop with shop_id = {self.place['shop']}")
        return shop

    def own_shop(self) -> Shop:
        """The shop in the path, which must be the caller's; raises EtsyRefused 403."""
        return self.caller.demand_shop(self.place["shop"])

    def visible(self, listings: Listings) -> Document:
        """The listing in the path, if the caller may see it; raises EtsyRefused 404."""
        listing = listings.get(self.place["listing"])
        if listing is None or not is_visible(listing, self.caller):
            raise no_listing(self.place["listing"])
        return listing

    def own_listing(self, listings: Listings) -> Document:
        """The listing in the path, which must be in the caller's shop; raises EtsyRefused 403 or 404."""
        shop, listing = self.own_shop(), listings.get(self.place["listing"])
        if listing is None or listing["shop_id"] != shop.shop_id:
            raise no_listing(self.place["listing"])
        return listing


def is_visible(listing: Document, caller: Caller) -> bool:
    """What is not on sale is its owner's alone."""
    return listing["state"] in ("active", "sold_out") or caller.owns(listing["shop_id"])
