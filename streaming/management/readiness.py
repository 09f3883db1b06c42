"""Tells systemd that a process is ready: `READY=1` of sd_notify(3), in ten lines of our own."""

from __future__ import annotations

import logging
import socket

logger = logging.getLogger(__name__)


def tell_ready(notify_socket: str) -> None:
    """Send `READY=1` to the socket that systemd gives a process of `Type=notify`.

    Args:
        notify_socket: systemd's variable `NOTIFY_SOCKET`: a path, or a name in the abstract
            namespace after an `@`. Empty: nobody asked.

    A socket that can't be reached is logged: the work itself goes on.
    """
    if not notify_socket:
        return
    address = f"\0{notify_socket[1:]}" if notify_socket.startswith("@") else notify_socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"READY=1", address)
        except OSError as error:
            logger.warning("systemd can't be told that the process is ready: %s", error.strerror)
