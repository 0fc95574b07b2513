"""The calls for the pictures of a listing: looking, adding, replacing, taking off and putting back.

Source: uploadListingImage, getListingImages and deleteListingImage of the Open API 3.0.0 document; etsy/open-api issues
#180 and #606 for the words of refusals (read 2026-11-21). The bytes are kept by `pictures`.
"""

from typing import Final

from werkzeug.wrappers import Response

from sandbox.hosts.etsy import parameters as given
from sandbox.hosts.etsy.asked import Asked
from sandbox.hosts.etsy.listings import Listings
from sandbox.hosts.etsy.pictures import MOST_PER_LISTING, Pictures
from sandbox.hosts.etsy.refusals import EtsyRefused, as_json, many
from sandbox.hosts.etsy.shown import picture_shown
from sandbox.store import Document

_LONGEST_ALT: Final = 500


class ImageMethods:
    """The images of all listings."""

    def __init__(self, listings: Listings, pictures: Pictures) -> None:
        self._listings, self._pictures = listings, pictures

    def list_all(self, asked: Asked) -> Response:
        """All pictures of a listing in their order."""
        pictures = self._pictures.of(asked.visible(self._listings))
        return many([picture_shown(picture, rank) for rank, picture in enumerate(pictures, 1)])

    def get(self, asked: Asked) -> Response:
        """One of them."""
        for rank, picture in enumerate(self._pictures.of(asked.visible(self._listings)), 1):
            if picture["id"] == asked.place["picture"]:
                return as_json(picture_shown(picture, rank))
        raise _no_picture(asked)

    def upload(self, asked: Asked) -> Response:
        """Takes a new picture, or puts one back; the answer comes before the picture has been looked at.

        Without a rank it goes to the front and moves the others on, as sellers found out (etsy/open-api #558, #594).
        """
        values = asked.request.form
        rank = max(1, given.whole(values, "rank", least=0) or 1)
        overwrites = given.truth(values, "overwrite", default=False)
        given.truth(values, "is_watermarked", default=False)
        with self._listings.transaction():
            listing = asked.own_listing(self._listings)
            count = len(listing["images"])
            if count >= MOST_PER_LISTING and not (overwrites and rank <= count):
                words = f"Listings are only allowed {MOST_PER_LISTING} images."
                raise EtsyRefused(400, f"{words} Please delete a ListingImage before trying to upload another.")
            picture = self._picture(asked, listing)
            others = [each for each in listing["images"] if each != picture["id"]]
            place = min(rank - 1, len(others))
            others[place : place + overwrites] = [picture["id"]]
            listing["images"] = others
            self._listings.change(listing)
        return as_json(picture_shown(picture, place + 1, is_processed=False), 201)

    def delete(self, asked: Asked) -> Response:
        """Takes a picture off; a copy stays, so that its number can put it back."""
        with self._listings.transaction():
            listing = asked.own_listing(self._listings)
            if asked.place["picture"] not in listing["images"]:
                raise _no_picture(asked)
            listing["images"].remove(asked.place["picture"])
            self._listings.change(listing)
        return Response(status=204)

    def attach(self, listing: Document, picture_ids: list[int]) -> None:
        """Give a listing exactly these pictures of its shop; raises EtsyRefused 400."""
        if len(picture_ids) > MOST_PER_LISTING:
            raise EtsyRefused(400, f"Listings are only allowed {MOST_PER_LISTING} images.")
        for picture_id in picture_ids:
            picture = self._pictures.get(picture_id)
            if picture is None or picture["shop_id"] != listing["shop_id"]:
                raise EtsyRefused(400, f"Invalid image_ids: {picture_id}")
        if picture_ids:
            listing["images"] = picture_ids

    def _picture(self, asked: Asked, listing: Document) -> Document:
        """The uploaded file, or the earlier picture that `listing_image_id` names; the file wins."""
        alt_text = asked.request.form.get("alt_text", "")
        if len(alt_text) > _LONGEST_ALT:
            raise EtsyRefused(400, f"alt_text cannot be longer than {_LONGEST_ALT} characters.")
        upload = asked.request.files.get("image")
        if upload is not None:
            return self._pictures.take(listing, upload.stream.read(), alt_text)
        picture_id = given.whole(asked.request.form, "listing_image_id", least=1)
        picture = self._pictures.get(picture_id) if picture_id is not None else None
        if picture is None or picture["listing_id"] != listing["listing_id"]:
            raise EtsyRefused(400, "Either a valid image file or a listing_image_id must be provided.")
        if alt_text:
            picture["alt_text"] = alt_text
            self._pictures.keep(picture)
        return picture


def _no_picture(asked: Asked) -> EtsyRefused:
    return EtsyRefused(404, f"Could not find ListingImage with listing_image_id = {asked.place['picture']}")
