"""Runs chit in this process and writes down every request that it sends: a line each, with method, path and query, as they went out.

Run with the interpreter that has chit installed: `python -m benchmark.counted FILE COMMAND…`.
"""

import sys
from pathlib import Path


def main() -> int:
    """The exit code of the command."""
    import httpx

    from chit.main import run

    sent: list[str] = []
    send = httpx.Client.send

    def counted(self: httpx.Client, request: httpx.Request, **how: object) -> httpx.Response:
        sent.append(f"{request.method} {request.url.raw_path.decode()}")
        return send(self, request, **how)  # type: ignore[arg-type]  # passed on as it came

    httpx.Client.send = counted  # type: ignore[method-assign]  # the one place that every request passes
    code = run(sys.argv[2:])
    Path(sys.argv[1]).write_text("".join(f"{line}\n" for line in sent))
    return code


if __name__ == "__main__":
    sys.exit(main())
