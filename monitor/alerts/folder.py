"""A Maildir, for those who have no mail server: each mail becomes a file in it."""

from __future__ import annotations

import hashlib
import mailbox
import os
from pathlib import Path

from monitor.alerts.errors import MailError
from store.records import Mail


class Folder:
    """A Maildir that has each mail once, however often it is handed over."""

    def __init__(self, path: Path) -> None:
        """Makes the Maildir if it is not there. Raises MailError."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mailbox.Maildir(path, create=True)
            for name in ("tmp", "new", "cur"):  # create=True does not mend a folder that exists
                (path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise MailError(self._sentence(error)) from error

    def send(self, mail: Mail) -> None:
        """Puts one mail into `new/`, unless one with this Message-ID is there. Raises MailError."""
        # The name is derived from the Message-ID, so that a mail that was put there just
        # before a kill is found again; a mail program that moves it to cur/ adds ":2,S".
        name = f"{hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]}.visawatch"
        try:
            if (self.path / "new" / name).exists() or any((self.path / "cur").glob(f"{name}*")):
                return
            temporary = self.path / "tmp" / f"{name}.{os.getpid()}"
            with temporary.open("wb") as file:
                file.write(mail.message.replace(b"\r\n", b"\n"))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path / "new" / name)
        except OSError as error:
            raise MailError(self._sentence(error)) from error

    def close(self) -> None:
        """Nothing to close."""

    def _sentence(self, error: OSError) -> str:
        return (
            f"the mail folder {self.path} cannot be written ({error.strerror}); the mail is "
            "kept. Name another with mail.maildir, or a server with mail.smtp_url."
        )
