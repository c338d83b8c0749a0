"""Settings from environment variables: declared once, checked all at once, described for the docs.

environ → load → Settings        SettingsError holds every fault
Settings class → describe        rows of the reference page
Settings → redacted              what the start log shows
environ → doubtful_names         what the start log warns of
"""

from pydantic import SecretStr

from runtime.errors import Fault, SettingsError
from runtime.settings.base import NEVER_REFUSED, Rule, Settings
from runtime.settings.kinds import ByteSize, CommaList, DurationMs, DurationS, Port
from runtime.settings.loading import load
from runtime.settings.reference import Row, describe, redacted
from runtime.settings.spelling import doubtful_names
from runtime.settings.variable import Kind, Variable

__all__ = [
    "NEVER_REFUSED",
    "ByteSize",
    "CommaList",
    "DurationMs",
    "DurationS",
    "Fault",
    "Kind",
    "Port",
    "Row",
    "Rule",
    "SecretStr",
    "Settings",
    "SettingsError",
    "Variable",
    "describe",
    "doubtful_names",
    "load",
    "redacted",
]
