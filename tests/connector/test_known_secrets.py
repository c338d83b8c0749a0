from pydantic import SecretStr

from connector import known_secrets
from connector.known_secrets import KnownSecrets


def test_what_jobs_used_is_masked_afterwards():
    """Values that came with different jobs are masked together."""
    known = KnownSecrets()
    known.add([SecretStr("alpha"), SecretStr("beta")])
    known.add([SecretStr("alpha"), SecretStr("gamma")])
    assert known.redaction().text("alpha beta gamma delta") == "*** *** *** delta"


def test_it_does_not_grow_for_ever():
    """A rotating secret pushes out the oldest values, not the newest."""
    known = KnownSecrets()
    for number in range(known_secrets._CAPACITY + 5):
        known.add([SecretStr(f"secret-{number:06}")])
    assert len(known._seen) == known_secrets._CAPACITY
    assert known.redaction().text(f"secret-{known_secrets._CAPACITY + 4:06}") == "***"


def test_it_does_not_print_what_it_knows():
    """An object that holds secrets shows none."""
    known = KnownSecrets()
    known.add([SecretStr("alpha")])
    assert "alpha" not in repr(known)
