"""A real Kafka broker of the test run's own: Apache's jars from Maven Central, on the local Java.

The jars are fetched once into `.cache/kafka`, which git ignores, and are used only if each has the
checksum that stands in `jars.sha256`. To take another version, change `pom.xml`, remove the cache
and write the checksums anew: `cd .cache/kafka && sha256sum *.jar`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.kit.waiting import PATIENCE_S

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "kafka"
SUMS = HERE / "jars.sha256"
FETCHES = 3
"""How often Maven is asked: a file of many that does not come is no reason to fail."""
CLUSTER_ID = "b3BlcmF0ZS1jb25uZWN0bw"

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},SSL://localhost:{tls},\
 SASL_PLAINTEXT://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised},SSL://localhost:{tls},\
 SASL_PLAINTEXT://127.0.0.1:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,\
 SASL_PLAINTEXT:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
 org.apache.kafka.common.security.plain.PlainLoginModule required user_relay="right";
log.dirs={logs}
auto.create.topics.enable=true
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=500
log.initial.task.delay.ms=100
file.delete.delay.ms=0
"""


def jars() -> str:
    """The class path; the test fails with what is missing where that cannot be had."""
    for program, package in (("java", "default-jre-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            pytest.fail(f"needs the Debian package {package}; run tests/system-packages")
    wanted = dict(line.split()[::-1] for line in SUMS.read_text().splitlines())
    if not all((CACHE / name).is_file() for name in wanted):
        _fetch()
    for name, checksum in wanted.items():
        if hashlib.sha256((CACHE / name).read_bytes()).hexdigest() != checksum:
            pytest.fail(f"{name} is not the file that jars.sha256 tells of; remove {CACHE}")
    return os.pathsep.join(str(CACHE / name) for name in wanted)


def _fetch() -> None:
    # Maven remembers what it could not have; --update-snapshots makes it ask again.
    options = ["--quiet", "--batch-mode", "--update-snapshots", "--file", str(HERE / "pom.xml")]
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={CACHE}"]
    for _ in range(FETCHES):
        command = ["mvn", *options, *goal]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        if fetched.returncode == 0:
            return
    pytest.fail(f"Maven cannot fetch Kafka's broker: {fetched.stdout[-500:]}")


class Broker:
    """One node that is broker and controller.

    Attributes:
        port: Where it listens; clients are sent on to `advertised`, which may be a proxy.
        tls_port: The same over TLS, for `localhost`.
        sasl_port: The same for the user `relay` with the password `right`.
        authority: PEM file of who vouches for its certificate.
    """

    def __init__(self, directory: Path, advertised: int | None = None) -> None:
        self._class_path = jars()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.tls_port, self.sasl_port, controller = _free_ports(4)
        self.authority = directory / "authority.pem"
        keystore = directory / "keystore.pem"
        _write_certificate(self.authority, keystore)
        self._settings = directory / "server.properties"
        self._settings.write_text(
            SETTINGS.format(
                port=self.port,
                tls=self.tls_port,
                sasl=self.sasl_port,
                keystore=keystore,
                controller=controller,
                advertised=advertised or self.port,
                logs=directory / "logs",
            )
        )
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self._settings)

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._java_command(), "kafka.Kafka", str(self._settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)):
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until_s:
                    pytest.fail("the Kafka broker does not start")
                time.sleep(0.05)

    def pause(self) -> None:
        """Stop answering, with all connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _java_command(self) -> list[str]:
        # A small heap and the quick compiler: the broker lives for a minute.
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", self._class_path]

    def _java(self, *words: object) -> None:
        subprocess.run(
            [*self._java_command(), *map(str, words)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def kafka_broker(directory: Path, advertised: int | None = None) -> Iterator[Broker]:
    broker = Broker(directory, advertised)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _write_certificate(authority: Path, keystore: Path) -> None:
    issuer = trustme.CA()
    certificate = issuer.issue_cert("localhost")
    issuer.cert_pem.write_to_path(str(authority))
    # Java reads private keys in PKCS 8 only.
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    keystore.write_bytes(pkcs8 + b"".join(pem.bytes() for pem in certificate.cert_chain_pems))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as exits:
        sockets = [exits.enter_context(closing(socket.socket())) for _ in range(count)]
        for listening in sockets:
            listening.bind(("127.0.0.1", 0))
        return [int(listening.getsockname()[1]) for listening in sockets]
