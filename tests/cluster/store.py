"""Three nodes of SeaweedFS that keep every object twice, each on a machine of its own."""

import json
import secrets
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from tests.cluster.network import Network
from tests.cluster.servers import POSTGRES_PORT, S3_PORT, Postgres, Server
from tests.support.peers import require_program

# Its parts find each other by sockets in /tmp that are named by ports alone, so that those of two
# nodes would be taken for each other's: each machine has a /tmp of its own. What that hides may
# hold the node's folder: without another way there, the node takes its disk for full after minutes.
_OWN_TMP: Final = (
    *("--mount", "sh", "-c"),
    'mount --bind . /mnt && cd /mnt && mount --bind tmp /tmp && exec "$@"',
    "weed",
)


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """The keys to the bucket."""

    access: str = "rdc"
    secret: str = secrets.token_urlsafe(16)


class StoreNode(Server):
    """One node of SeaweedFS: master, volumes, and the S3 gateway.

    The names of objects are in PostgreSQL, so that every node knows what another one took; each
    object is on two nodes.
    """

    def __init__(self, network: Network, machine: str, directory: Path) -> None:
        super().__init__(network, machine, directory)
        self._words: list[str | Path] = []

    @staticmethod
    def prepare(database: Postgres) -> None:
        """Make the table of names, which nodes that start together would all make."""
        with psycopg.connect(
            host=str(database.directory), user="postgres", dbname="weed", autocommit=True
        ) as connection:
            connection.execute("SET ROLE rdc")
            connection.execute(
                "CREATE TABLE filemeta (dirhash BIGINT, name VARCHAR(65535),"
                " directory VARCHAR(65535), meta bytea, PRIMARY KEY (dirhash, name))"
            )

    def start(
        self, nodes: Sequence["StoreNode"], databases: Sequence[Postgres], keys: StoreKeys
    ) -> None:
        """Start it; `wait_until_ready` when all have been started."""
        masters = ",".join(f"{one.address}:9333" for one in nodes)
        names = {
            "enabled": "true",
            "createTable": '"""CREATE TABLE IF NOT EXISTS "%s" (dirhash BIGINT, name VARCHAR(65535)'
            ', directory VARCHAR(65535), meta bytea, PRIMARY KEY (dirhash, name));"""',
            "hostname": '"' + ",".join(one.address for one in databases) + '"',
            "port": str(POSTGRES_PORT),
            "username": '"rdc"',
            "password": f'"{Postgres.PASSWORD}"',
            "database": '"weed"',
            "schema": '""',
            # It has no word for the other, and puts this one into its connection string.
            "sslmode": '"disable target_session_attrs=read-write"',
            "connection_max_idle": "5",
            "connection_max_open": "20",
            "connection_max_lifetime_seconds": "60",
            "enableUpsert": "true",
        }
        names["upsertQuery"] = (
            '"""INSERT INTO "%[1]s" (dirhash, name, directory, meta) VALUES($1, $2, $3, $4)'
            " ON CONFLICT (dirhash, name) DO UPDATE SET directory=EXCLUDED.directory,"
            ' meta=EXCLUDED.meta"""'
        )
        lines = [f"{name} = {value}" for name, value in names.items()]
        (self.directory / "filer.toml").write_text("\n".join(["[postgres2]", *lines, ""]))
        identity = {
            "name": "rdc",
            "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (self.directory / "tmp").mkdir(exist_ok=True)
        self._words = [
            require_program("unshare", package="util-linux"),
            *_OWN_TMP,
            Path(sysconfig.get_path("scripts")) / "weed",
            "server",
            "-dir=.",
            f"-ip={self.address}",
            f"-ip.bind={self.address}",
            f"-master.peers={masters}",
            "-master.defaultReplication=001",
            "-master.volumeSizeLimitMB=256",
            "-master.telemetry=false",
            "-volume.max=50",
            "-volume.minFreeSpace=0",
            "-filer",
            "-filer.localSocket=filer.sock",
            "-s3",
            "-s3.config=s3.json",
            f"-s3.port={S3_PORT}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.localSocket=s3.sock",
        ]
        self._run()

    def _run(self) -> None:
        self.process = self.run(self._words, environment={"HOME": str(self.directory)})

    def wait_until_ready(self) -> None:
        """Wait until its S3 gateway listens.

        A node ends when it finds another one announced that does not listen yet, as happens when
        those of an empty store start together. Its service manager starts it again.
        """
        assert self.process is not None
        with suppress(AssertionError):
            self.wait_for_port(S3_PORT)
            return
        assert self.process.poll() is not None, self.last_words()
        self._run()
        self.wait_for_port(S3_PORT)
