"""What products and listings of every shop have in common, in the words of the contract: the texts that may be edited.

How each platform's products become such objects is said by its provider.
"""

from patchbay.errors import N_
from patchbay.spec.field import Field, Kind

PRODUCT_TEXTS = (
    Field("title", N_("Title"), max_length=255),
    Field("description", N_("Description"), Kind.LONG_TEXT, required=False, max_length=50_000),
    Field("vendor", N_("Vendor"), required=False, max_length=255),
    Field("productType", N_("Product type"), required=False, max_length=255),
)
