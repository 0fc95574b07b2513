"""Adding mockups to a listing, or to a new draft that is made for them.

Neither drafts nor photos have a key that makes a repeat harmless, so after anything doubtful the shop is asked what it
has before something is sent again. A 5xx says as little as a lost answer: Etsy has made listings and answered "Server
Error" (etsy/open-api #162). A draft stays one: putting it on sale costs the seller a fee.
"""

from collections.abc import Mapping
from html import unescape
from typing import Any

from patchbay.errors import (
    N_,
    NotFoundThere,
    PartlyDone,
    PlatformError,
    ProviderUnavailable,
    QuotaFull,
)
from patchbay.providers.etsy.listings import API, Image, Listing, in_state
from patchbay.spec import Answer, Api, Picture, Request

MOST_PHOTOS = 20
MOST_MB = 10
LONGEST_ALT = 500
ETSYS_NAMES = {
    "title": "title",
    "description": "description",
    "price": "price",
    "quantity": "quantity",
    "whoMade": "who_made",
    "whenMade": "when_made",
    "taxonomyId": "taxonomy_id",
    "shippingProfileId": "shipping_profile_id",
    "readinessStateId": "readiness_state_id",
    "returnPolicyId": "return_policy_id",
    "tags": "tags",
}


def publish_mockup(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add the mockups behind the listing's photos, or make a draft of them."""
    pictures = [api.picture(address) for address in values["mockupUrls"]]
    for picture in pictures:
        check_size(picture)
    is_new = values["target"] != "listing"
    listing_id = make_draft(api, values) if is_new else values["listingId"]
    listing = own_listing(api, listing_id)
    photos = [image.listing_image_id for image in listing.images or ()]
    before = [] if is_new else api.remember("photos_before", lambda: photos)
    check_room(len(before), len(pictures))
    add_photos(api, listing_id, before, pictures, N_("the draft listing was created") if is_new else "")
    return {
        "publishedUrl": listing.url,
        "listingId": listing_id,
        "state": listing.state,
        "count": len(pictures),
    }


def make_draft(api: Api, values: Mapping[str, Any]) -> str:
    """Create the draft, once; its id. One that an earlier try has left behind is taken instead of a second."""
    known = api.remember("drafts_before", lambda: [draft.listing_id for draft in newest_drafts(api)])

    def find() -> str | None:
        found = [each for each in newest_drafts(api) if each.listing_id not in known]
        return next((str(each.listing_id) for each in found if unescape(each.title) == values["title"]), None)

    form = {theirs: str(values[ours]) for ours, theirs in ETSYS_NAMES.items() if values[ours] is not None}
    form["type"] = "download" if values["target"] == "download" else "physical"
    request = Request("POST", f"{API}/shops/{api.account}/listings", form=form, accept=(400,))

    def create() -> str:
        made = accepted(api.send(request), N_("Etsy did not accept the listing: %(words)s"))
        return str(api.read(made, Listing).listing_id)

    return api.once("draft", create, find)


def newest_drafts(api: Api) -> list[Listing]:
    """The drafts made last."""
    return in_state(api, "draft", 0).results


def own_listing(api: Api, listing_id: str) -> Listing:
    """The listing with its photos. Raises NotFoundThere, for a listing of another shop too."""
    listing = api.read(api.send(Request("GET", f"{API}/listings/{listing_id}", params={"includes": "Images"})), Listing)
    if str(listing.shop_id) != api.account:
        raise NotFoundThere(f"listing {listing_id} is in another shop", provider="Etsy")
    return listing


def check_size(picture: Picture) -> None:
    """Raise PlatformError for what would be refused there, before anything is sent or read."""
    if picture.size_bytes > MOST_MB * 1024 * 1024:
        sentence = N_("%(name)s is too large: %(provider)s takes pictures of up to %(most)s MB. Nothing was changed.")
        words = {"name": picture.filename, "most": str(MOST_MB), "provider": "Etsy"}
        raise PlatformError(f"{picture.size_bytes} bytes", sentence=sentence, **words)


def check_room(count: int, more: int) -> None:
    """Raises QuotaFull before anything is sent, so that nothing is left half-done."""
    if count + more > MOST_PHOTOS:
        sentence = N_(
            "An Etsy listing holds %(most)s photos, and this one has %(count)s. Remove some there, or choose fewer."
        )
        raise QuotaFull("too many photos", sentence=sentence, most=str(MOST_PHOTOS), count=str(count), provider="Etsy")


def add_photos(api: Api, listing_id: str, before: list[int], pictures: list[Picture], done: str) -> None:
    """Upload those pictures that the listing does not have yet, in order, behind the others.

    Raises PartlyDone when Etsy refuses one after something was done; `done` says what before the first.
    """
    for number in range(count_added(api, listing_id, before), len(pictures)):
        try:
            add_photo(api, listing_id, before, pictures[number], number=number)
        except ProviderUnavailable:
            raise
        except PlatformError as error:
            so_far = N_("some of the mockups were added") if number else done
            if not so_far:
                raise
            reason = (error.params.get("words") or error.detail).rstrip(".")
            raise PartlyDone(error.detail, done=so_far, reason=reason, provider="Etsy") from error
        api.progress(number + 1, len(pictures))


def add_photo(api: Api, listing_id: str, before: list[int], picture: Picture, *, number: int) -> None:
    """Upload the picture of that number, counted from 0."""
    request = Request(
        "POST",
        f"{API}/shops/{api.account}/listings/{listing_id}/images",
        form={"rank": str(len(before) + number + 1), "alt_text": picture.name[:LONGEST_ALT]},
        files={"image": (picture.filename, picture.content, picture.content_type)},
        accept=(400,),
    )

    def upload() -> bool:
        api.read(accepted(api.send(request), N_("Etsy could not use the picture: %(words)s")), Image)
        return True

    api.once(f"photo_{number}", upload, lambda: count_added(api, listing_id, before) > number or None)


def count_added(api: Api, listing_id: str, before: list[int]) -> int:
    """How many photos the listing has that it had not before."""
    return sum(image.listing_image_id not in before for image in own_listing(api, listing_id).images or ())


def accepted(answer: Answer, sentence: str) -> Answer:
    """The answer, unless Etsy found something wrong with what was sent; its words are made for people.

    They come as `{"error"}`, or for the content of a field as `[{"path", "type", "message"}]`.
    """
    if answer.status != 400:
        return answer
    words = str(answer.at("error") or answer.at(0, "message") or "")[:300]
    raise PlatformError(f"HTTP 400 {words}", sentence=sentence, words=words, provider="Etsy")
