"""A real IMAP server: Dovecot on loopback, with one user and a Maildir of its own."""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NEEDED = "IMAP_NEEDED"  # set in CI: then a server must be there
PATIENCE = 20.0  # seconds for it to start

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = static
  args = password=s3cret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class ImapServer:
    """A running server; `url` is what the settings need."""

    port: int

    @property
    def url(self) -> str:
        """Where the user's mail is."""
        return f"imap://ask%40visawatch.example:s3cret@127.0.0.1:{self.port}/INBOX"

    def put(self, raw: bytes, folder: str = "INBOX") -> None:
        """A mail comes in."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE) as connection:
            connection.login("ask@visawatch.example", "s3cret")
            status, said = connection.append(folder, "", "", raw)
            assert status == "OK", said

    def unseen(self) -> int:
        """How many mails nobody has marked as read."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE) as connection:
            connection.login("ask@visawatch.example", "s3cret")
            connection.select("INBOX", readonly=True)
            return len(connection.search(None, "UNSEEN")[1][0].split())


def dovecot() -> str | None:
    """The server's program, if this machine has it."""
    return shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@contextmanager
def serving(program: str, folder: Path) -> Iterator[ImapServer]:
    """Runs the server in a folder, which everybody may enter, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = os.getuid() == 0
    user = "dovecot" if root else getpass.getuser()
    group = "dovecot" if root else grp.getgrgid(os.getgid()).gr_name
    owner = pwd.getpwnam("nobody" if root else user)  # it serves no mail as root
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    config = folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder, user=user, group=group, uid=owner.pw_uid, gid=owner.pw_gid, port=port
        )
    )
    process = subprocess.Popen([program, "-F", "-c", str(config)])
    try:
        _wait(process, port, folder / "log")
        yield ImapServer(port)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE).logout()
        except (OSError, imaplib.IMAP4.error):
            assert process.poll() is None, log.read_text() if log.exists() else "no log"
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text() if log.exists() else "it does not answer")
