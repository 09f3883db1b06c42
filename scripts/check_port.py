"""Reports whether a server can listen on a port of 127.0.0.1. Any Python 3; needs no packages."""

import errno
import shlex
import socket
import sys


def problem_with(port: str, command: str) -> str:
    """Return why no server can listen there, and what to do; an empty text if one can.

    Args:
        command: what the user typed, to be typed again with another port.
    """
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        return f"PORT must be a number from 1 to 65535, not {port!r}."
    taken = (
        f"Port {port} is taken, by another program or by a running server of this project."
        f"\nStop it, or use another port:  PORT={int(port) % 65535 + 1} {command}"
    )
    # On macOS, a port can be bound on 127.0.0.1 while another program listens on all addresses.
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            return taken
    with socket.socket() as listener:
        # As servers do: treat a port whose last connections are still closing as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
            listener.listen()
        except PermissionError:
            return f"Port {port} is not allowed for this user. Try:  PORT=8000 {command}"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return taken
            return f"No server can listen on 127.0.0.1:{port}: {error.strerror}."
    return ""


if __name__ == "__main__":
    words = problem_with(sys.argv[1], shlex.join(sys.argv[2:]))
    if words:
        sys.exit("\n" + words)
