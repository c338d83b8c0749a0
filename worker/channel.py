from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import grpc
import grpc.aio

from worker.address import Address

_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    # A gateway that comes back is found within seconds. gRPC's own waits grow to two minutes, and
    # its look-ups of a name that moved are half a minute apart.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Despite its name the time that one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # Zeebe's gateway ends connections that ping more often than each 30 s.
    ("grpc.keepalive_time_ms", 45_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # What a stream may hold that nobody reads is what a full worker can't bound: 16 KiB are some 40
    # small jobs. By default gRPC widens the window by what the network could carry, and thousands
    # of jobs (6 MB, measured) wait for a worker that is full. A poll is no slower for it: the
    # window of a message that somebody reads grows to that message's size.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 16 * 1024),
    # One batch of jobs is at most the gateway's maxMessageSize, which users raise beyond the 4 MiB
    # that gRPC accepts by default.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # Two gateways at one address (tests, a second client) keep their back-offs to themselves.
    ("grpc.use_local_subchannel_pool", 1),
)

_SYSTEM_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian and its kin
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat and its kin
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
"""OpenSSL itself looks at a directory on some of these, which gRPC can't."""


def open_channel(address: Address, ca_file: Path | None) -> grpc.aio.Channel:
    """A channel in the running event loop; it connects with its first call and again ever after.

    Args:
        address: Where to.
        ca_file: PEM file of the authorities to trust; None means the system's.

    Raises:
        OSError: The file can't be read.
    """
    if not address.tls:
        return grpc.aio.insecure_channel(address.target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(root_certificates=_authorities(ca_file))
    return grpc.aio.secure_channel(address.target, credentials, options=_OPTIONS)


def _authorities(ca_file: Path | None) -> bytes | None:
    """PEM of the trusted authorities; None makes gRPC use the list that it ships."""
    if ca_file is not None:
        return ca_file.read_bytes()
    for file in (ssl.get_default_verify_paths().cafile, *_SYSTEM_BUNDLES):
        if file and Path(file).is_file():
            return Path(file).read_bytes()
    return None
