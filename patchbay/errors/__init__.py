"""Every failure that Patchbay itself raises, as one tree; its sentences are English message ids.

The classes live in the files of this folder, by whose failure it is; everybody imports them from here. What does not
live here: how an error becomes a page, a toast or a JSON answer (`blueprints`).

    PatchbayError                        code                     status  retryable
    ├── ConnectionFailed                 CONNECTION_FAILED        502     by the user
    ├── OAuthRefused                     OAUTH_ERROR              502     by the user
    │   └── SetupWrong                   OAUTH_ERROR              502     no: an administrator's
    ├── GrantExpired                     TOKEN_EXPIRED            409     no: reconnect
    ├── CredentialsRefused               INVALID_CREDENTIALS      409     no: reconnect
    ├── PlatformError                    API_ERROR                502     no
    │   ├── ProviderUnavailable          API_ERROR                502     yes
    │   ├── ScopeMissing                 API_ERROR                502     no: grant access
    │   ├── NotFoundThere                API_ERROR                502     no
    │   ├── QuotaFull                    API_ERROR                502     no: make room there
    │   ├── CursorExpired                API_ERROR                502     yes, from the beginning
    │   ├── PublicAddressNeeded          API_ERROR                502     no: an administrator's
    │   └── UnexpectedShape              API_ERROR                502     no
    ├── SyncFailed                       SYNC_FAILED              502     by the user
    │   ├── PartlyDone                   SYNC_FAILED              502     by the user
    │   └── OutcomeUnknown               SYNC_FAILED              502     by the user
    ├── Postponed                        API_ERROR                502     yes, at `retry_at`
    │   ├── RateLimited                  RATE_LIMIT_EXCEEDED      429     yes, at `retry_at`
    │   └── CircuitOpen                  API_ERROR                502     yes, at `retry_at`
    ├── StorageAway                      STORAGE_UNAVAILABLE      503     yes
    ├── StorageFull                      STORAGE_FULL             507     yes, once there is room
    ├── NetworkError                     NETWORK_ERROR            504     yes
    │   └── CertificateRefused           NETWORK_ERROR            504     yes
    └── Refused (the caller's mistake, nothing was done)
        ├── Invalid                      VALIDATION_ERROR         422
        │   ├── Malformed                VALIDATION_ERROR         400
        │   └── UnsupportedMedia         VALIDATION_ERROR         415
        ├── AddressBlocked               VALIDATION_ERROR         422
        ├── Unauthenticated              UNAUTHENTICATED          401
        ├── Forbidden                    FORBIDDEN                403
        ├── NotFound                     NOT_FOUND                404
        ├── Conflict                     CONFLICT                 409
        ├── TooLarge                     TOO_LARGE                413
        └── TooManyRequests              TOO_MANY_REQUESTS        429     yes, after `retry_after_s`
    SettingsError                        start-up only: a setting that cannot be used
    BackupError                          a backup that cannot be made or restored
    VaultError                           a ciphertext that does not open: wrong key, or moved to another row
"""

from patchbay.errors.connections import ConnectionFailed, CredentialsRefused, GrantExpired, OAuthRefused, SetupWrong
from patchbay.errors.installation import BackupError, SettingsError, StorageAway, StorageFull, VaultError
from patchbay.errors.platforms import (
    CertificateRefused,
    CircuitOpen,
    CursorExpired,
    NetworkError,
    NotFoundThere,
    PlatformError,
    Postponed,
    ProviderUnavailable,
    PublicAddressNeeded,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    UnexpectedShape,
)
from patchbay.errors.refusals import (
    AddressBlocked,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMedia,
)
from patchbay.errors.root import N_, PatchbayError, storable
from patchbay.errors.runs import OutcomeUnknown, PartlyDone, SyncFailed

__all__ = [
    "N_",
    "AddressBlocked",
    "BackupError",
    "CertificateRefused",
    "CircuitOpen",
    "Conflict",
    "ConnectionFailed",
    "CredentialsRefused",
    "CursorExpired",
    "Forbidden",
    "GrantExpired",
    "Invalid",
    "Malformed",
    "NetworkError",
    "NotFound",
    "NotFoundThere",
    "OAuthRefused",
    "OutcomeUnknown",
    "PartlyDone",
    "PatchbayError",
    "PlatformError",
    "Postponed",
    "ProviderUnavailable",
    "PublicAddressNeeded",
    "QuotaFull",
    "RateLimited",
    "Refused",
    "ScopeMissing",
    "SettingsError",
    "SetupWrong",
    "StorageAway",
    "StorageFull",
    "SyncFailed",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "UnexpectedShape",
    "UnsupportedMedia",
    "VaultError",
    "named",
    "storable",
]


def named(kind: str) -> type[PatchbayError]:
    """The class that a row remembers by name; an unknown name gives the root."""
    return _ALL.get(kind, PatchbayError)


def _tree(root: type[PatchbayError]) -> dict[str, type[PatchbayError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


_ALL = _tree(PatchbayError)
