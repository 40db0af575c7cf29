"""Where the program begins: until its parts are imported, which takes a moment, Ctrl-C just ends it."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the program and exits; see `coinlake_cli.main`."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # and not ignored, as for a program in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from coinlake_cli.main import main

    signal.signal(signal.SIGINT, handler)
    main()


if __name__ == "__main__":
    main()
