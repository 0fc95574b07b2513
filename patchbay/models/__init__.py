"""All tables, one file per noun. Rules and queries live in the modules named after what they do, not here."""

from patchbay.models.alert import (
    Alert,
    AlertChannel,
    AlertEvent,
    AlertKind,
    AlertNotice,
    AlertPreference,
    NoticeState,
)
from patchbay.models.asset import Asset, AssetKind
from patchbay.models.audit import AuditEntry, AuditLink, AuditRetention, AuditSeal
from patchbay.models.base import Base, EncryptedText, db, fresh_view, new_id, owner_of, transaction, update_one
from patchbay.models.batch import Batch, BatchPart
from patchbay.models.clash import Clash, Winner
from patchbay.models.comparison import Comparison, Difference, DifferenceKind
from patchbay.models.connection import CallbackOutcome, Connection, ConnectionState, PendingAuthorization
from patchbay.models.deletion import Deletion, DeletionState
from patchbay.models.heartbeat import Heartbeat
from patchbay.models.integration import Integration, ProviderCredential
from patchbay.models.known_choices import KnownChoices
from patchbay.models.leaving import Export, ExportState, Leaving
from patchbay.models.receipt import Receipt, ReceiptState
from patchbay.models.record import Checkpoint, Record, StreamRule
from patchbay.models.run import (
    COUNTS,
    OPEN,
    WITHOUT_CONTENT,
    LogLevel,
    Purpose,
    Run,
    RunLog,
    RunStatus,
    Trigger,
    WaitReason,
)
from patchbay.models.schedule import Overlap, Repeat, Schedule
from patchbay.models.statistic import Contact, Outcome, Span, Statistic
from patchbay.models.user import ApiKey, LinkKind, OneTimeLink, Role, User
from patchbay.models.wire import WireEntry

__all__ = [
    "COUNTS",
    "OPEN",
    "WITHOUT_CONTENT",
    "Alert",
    "AlertChannel",
    "AlertEvent",
    "AlertKind",
    "AlertNotice",
    "AlertPreference",
    "ApiKey",
    "Asset",
    "AssetKind",
    "AuditEntry",
    "AuditLink",
    "AuditRetention",
    "AuditSeal",
    "Base",
    "Batch",
    "BatchPart",
    "CallbackOutcome",
    "Checkpoint",
    "Clash",
    "Comparison",
    "Connection",
    "ConnectionState",
    "Contact",
    "Deletion",
    "DeletionState",
    "Difference",
    "DifferenceKind",
    "EncryptedText",
    "Export",
    "ExportState",
    "Heartbeat",
    "Integration",
    "KnownChoices",
    "Leaving",
    "LinkKind",
    "LogLevel",
    "NoticeState",
    "OneTimeLink",
    "Outcome",
    "Overlap",
    "PendingAuthorization",
    "ProviderCredential",
    "Purpose",
    "Receipt",
    "ReceiptState",
    "Record",
    "Repeat",
    "Role",
    "Run",
    "RunLog",
    "RunStatus",
    "Schedule",
    "Span",
    "Statistic",
    "StreamRule",
    "Trigger",
    "User",
    "WaitReason",
    "Winner",
    "WireEntry",
    "db",
    "fresh_view",
    "new_id",
    "owner_of",
    "transaction",
    "update_one",
]
