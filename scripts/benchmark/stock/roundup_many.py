"""Many tickets in Roundup for the benchmark, each with a description, an internal and a public message."""

import os

from roundup import date, instance


def main() -> None:
    """Fills the tracker that the environment names; what reacts to new things there, and sends mails, is not called."""
    db = instance.open(os.environ["HELPDESK_DATA"]).open("admin")
    for klass in (db.issue, db.msg):
        for reactions in (klass.auditors, klass.reactors):
            for name in reactions:
                reactions[name] = type(reactions[name])()
    agents = [db.user.lookup(name) for name in ("agent1", "agent2")]
    keywords = db.keyword.list()
    for number in range(1, int(os.environ["BENCH_TICKETS"]) + 1):
        texts = (
            f"Since this morning number {number} does nothing.\n" + "It was fine yesterday. " * (2 + number % 9),
            f"A note on {number}. " + "Have looked at it. " * (1 + number % 7),
            f"A reply on {number}. " + "Please switch it off and on again. " * (1 + number % 5),
        )
        messages = [
            db.msg.create(content=text.strip(), author=agents[number % 2], date=date.Date(), internal=place == 1)
            for place, text in enumerate(texts)
        ]
        db.issue.create(
            title=f"The printer {number} on floor {number % 12} is on fire",
            status=str(1 + number % 7),
            priority=str(1 + number % 5),
            messages=messages,
            keyword=[keywords[number % 2]],
            **({"assignedto": agents[0]} if number % 3 else {}),
        )
    db.commit()
    db.close()


main()
