"""The gRPC gateway of the embedded cluster, on pyzeebe's generated servicer.

call → token check → back-pressure → request made of the message → Engine → answer
a refusal anywhere → one of `devstack.errors` → the status that Zeebe gives for it
"""

from devstack.gateway.server import Gateway

__all__ = ["Gateway"]
