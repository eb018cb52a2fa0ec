"""`chit serve`."""

import signal
import sys

import click

from chit.context import App
from chit.framework import command
from chit_sync.server.run import Server


@command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="The port; 0 takes a free one."
)
@click.option("--open", "open_to_all", is_flag=True, help="Ask for no token; on a loopback address only.")
@click.option("--cert", type=click.Path(exists=True, dir_okay=False), help="A certificate (PEM) for TLS.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Its key.")
def serve(app: App, host: str, port: int, open_to_all: bool, cert: str | None, key: str | None) -> None:
    """Serve a store to others over HTTP.

    Whoever uses it needs a token: `chit token create NAME`. Use --cert and --key, or a proxy that does TLS, on any network.
    """
    with Server(app.store_path, host, port, open_to_all=open_to_all, cert=cert, key=key, report=app.say) as server:
        # A service manager ends a service with SIGTERM: that is an orderly end too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            app.output.one(
                {"schema": "chit.serving/1", "url": server.address, "store": app.store_path}, lambda: server.address
            )
            sys.stdout.flush()
            if app.options.dry_run:
                app.say("would serve the store there")
                return
            app.say("serving; Ctrl-C ends it")
            server.serve()
        except KeyboardInterrupt:
            app.say("ended")
