"""django-helpdesk from PyPI: a small Django project around it, on SQLite, behind waitress.

Sources: django-helpdesk's pages on installation, settings and its API; Django's and REST framework's references of settings.
"""

from pathlib import Path

from helpdesks.ports import HOST
from helpdesks.server import Seed, Server
from helpdesks.steps import run
from helpdesks.web import expect, get
from helpdesks.workplace import Place


class DjangoHelpdesk(Server):
    """The API is at the root: `/api/tickets/`."""

    kind = "djhd"
    title = "django-helpdesk"
    mail = "mail"
    pypi = ("django-helpdesk==2.6.1", "django>=5.2,<5.3", "waitress>=3,<4")

    def environment(self, place: Place, data: Path, port: int) -> dict[str, str]:
        return {
            **super().environment(place, data, port),
            "PYTHONPATH": str(self.site),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "desk.settings",
        }

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        seed = [str(place.venv / "bin" / "python"), str(self.site / "seed.py")]
        run("seeding django-helpdesk", seed, environment=self.environment(place, data, 9), folder=place.root, lock=lock)

    def command(self, place: Place, port: int) -> list[str]:
        waitress = [str(place.venv / "bin" / "python"), "-m", "waitress", "--threads=4"]
        return [*waitress, f"--listen={HOST}:{port}", "desk.wsgi:application"]

    def check(self, url: str, seed: Seed) -> None:
        agent = seed["accounts"]["agent1"]
        ask = f"{url}/api/tickets/?page_size=1"
        expect("results" in get(ask, Authorization=f"Token {agent['token']}"), True, ask)
