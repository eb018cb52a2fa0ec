"""All tickets of a helpdesk with their comments by the fewest requests that its interface needs, four at a time where one does not need
the answer to another. Keeps nothing but what the next request needs. Arguments: kind, address, secret, tickets a block.

Prints how many requests told what the helpdesk is, and how many its tickets.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

kind, url, secret, most = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
client = httpx.Client(timeout=120, trust_env=False, headers={"Accept-Encoding": "identity"})
counts = [0, 0]
reading = 0


def ask(method: str, path: str, **how: Any) -> Any:
    counts[reading] += 1
    answer = client.request(method, f"{url}/{path}", **how)
    answer.raise_for_status()
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def many(asks: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(4) as pool:
        return [future.result() for future in [pool.submit(one) for one in asks]]


def request_tracker() -> None:
    global reading
    client.headers["Authorization"] = f"token {secret}"
    rest = "REST/2.0/"
    ask("GET", rest + "rt")
    ask("GET", rest + "user/" + secret.split("-")[1])
    queues = ask("GET", rest + "queues/all", params={"fields": "Name,Lifecycle", "per_page": "100"})["items"]
    ask("GET", rest + "users", params={"fields": "Name,RealName,EmailAddress", "per_page": "100"})
    fields = [
        ask("GET", rest + f"queue/{queue['id']}/customfields", params={"fields": "Name,Type", "per_page": "100"})
        for queue in queues
    ]
    for field in {one["id"]: one["Type"] for answer in fields for one in answer["items"]}.items():
        if field[1] == "Select":
            ask("GET", rest + f"customfield/{field[0]}")
    # statuses are named by tickets only: those of each lifecycle
    for condition in ("Status != 'new' AND Status != 'open'", "Queue = 'Billing'"):
        ask("POST", rest + "tickets", data={"query": condition, "fields": "Status,_hyperlinks", "per_page": "20"})

    reading = 1
    ask(
        "GET",
        rest + "transactions",
        params={"query": "ObjectType='RT::Ticket' AND id > 0", "orderby": "id", "order": "DESC", "per_page": "1"},
    )
    form = {
        "fields": "Subject,Status,Priority,Created,Creator,LastUpdated,LastUpdatedBy,Due,Queue,Owner,Requestor,CustomFields,_hyperlinks",
        "fields[Queue]": "Name",
        "orderby": "id",
        "per_page": "100",
        "query": "id > 0",
    }
    first = ask("POST", rest + "tickets", data=form)
    pages = range(2, first["pages"] + 1)
    many([partial(ask, "POST", rest + "tickets", data={**form, "page": str(page)}) for page in pages])
    history = "Type,Field,OldValue,NewValue,Data,Creator,Created,TimeTaken,ObjectId"
    quiet = [
        {"field": "ObjectType", "value": "RT::Ticket"},
        {"field": "Type", "operator": "!=", "value": "EmailRecord", "entry_aggregator": "AND"},
        {"field": "Type", "operator": "!=", "value": "CommentEmailRecord", "entry_aggregator": "AND"},
    ]

    def transactions(page: int) -> list[dict[str, Any]]:
        params = {"fields": history, "per_page": "100", "page": str(page), "orderby": "id"}
        found: list[dict[str, Any]] = ask("POST", rest + "transactions", params=params, json=quiet)["items"]
        return found

    messages: list[int] = []
    page = 1
    while page:
        for items in many([partial(transactions, each) for each in range(page, page + 4)]):
            messages += [int(one["id"]) for one in items if one["Type"] in ("Create", "Comment", "Correspond")]
            page = page and (page + 1 if items else 0)  # nothing tells how many there are; an empty page is the end

    def texts(part: list[int]) -> None:
        params = {"fields": "TransactionId,ContentType,Content", "per_page": "100", "orderby": "id"}
        search = [
            {"field": "TransactionId", "operator": "IN", "value": part},
            {"field": "Filename", "operator": "IS", "value": "NULL"},
            {"field": "ContentType", "operator": "STARTSWITH", "value": "text/"},
        ]
        ask("POST", rest + "attachments", params=params, json=search)

    def files() -> None:
        search = [
            {"field": "TransactionId", "operator": "IN", "value": messages},
            {"field": "Filename", "operator": "IS NOT", "value": "NULL"},
        ]
        ask(
            "POST",
            rest + "attachments",
            params={"fields": "TransactionId,Filename,ContentLength", "per_page": "100"},
            json=search,
        )

    many([files, *(partial(texts, messages[start : start + 100]) for start in range(0, len(messages), 100))])


def redmine() -> None:
    global reading
    client.headers["X-Redmine-API-Key"] = secret
    ask("GET", "users/current.json?include=memberships")
    ask("GET", "issue_statuses.json")
    ask("GET", "enumerations/issue_priorities.json")
    people: set[int] = set()
    for project in ask("GET", "projects.json?limit=100")["projects"]:
        found = ask("GET", f"projects/{project['id']}/memberships.json?limit=100")["memberships"]
        people |= {one["user"]["id"] for one in found if "user" in one}
        ask("GET", f"issues.json?project_id={project['id']}&status_id=*&limit=1")  # which custom fields there are
    for person in sorted(people)[1:]:  # logins; our own is known
        ask("GET", f"users/{person}.json")

    reading = 1
    ask("GET", "time_entries.json?limit=100")
    first = ask("GET", "issues.json?status_id=*&sort=updated_on:asc,id:asc&limit=100")
    for start in range(0, first["total_count"], 100):
        params = f"status_id=*&sort=updated_on:asc,id:asc&limit=100&offset={start}"
        part = first if not start else ask("GET", f"issues.json?{params}")
        include = "include=journals,attachments,relations,children"
        many([partial(ask, "GET", f"issues/{issue['id']}.json?{include}") for issue in part["issues"]])


def roundup() -> None:
    global reading
    login, _, password = secret.partition(":")
    origin = url.rpartition("/")[0]
    body, headers = {"lifetime": "3600"}, {"Origin": origin, "X-Requested-With": "hand"}
    token = ask("POST", "rest/jwt/issue", json=body, headers=headers, auth=(login, password))["data"]["jwt"]
    client.headers["Authorization"] = f"Bearer {token}"
    ask("GET", "rest/data")
    newest = ask("GET", "rest/data/issue?@sort=-id&@page_size=1")["data"]["collection"][0]["id"]
    ask("GET", f"rest/data/issue/{newest}?@verbose=2")
    # what a message and a time log have is told by asking for it of nothing
    ask("GET", "rest/data/msg?@fields=internal&id=0")
    ask("GET", "rest/data/timelog?@fields=period,date,summary&id=0")
    ask("GET", f"rest/data/user/{login}?@fields=username,realname,address")
    ask("GET", "rest/data/user?@fields=username,realname&@verbose=0")
    for name in ("status", "priority", "keyword"):
        ask("GET", f"rest/data/{name}?@fields=name&@verbose=0")

    reading = 1
    issue = "title,status,priority,assignedto,keyword,superseder,messages,files,times,extref,due,creation,creator,activity,actor"
    msg = "author,date,content,internal,messageid,creation,activity,creator,actor"
    ask("GET", f"rest/data/issue?@fields={issue}&@verbose=0&@pretty=false")
    ask("GET", f"rest/data/msg?@fields={msg}&@verbose=3&@pretty=false")


def django_helpdesk() -> None:
    global reading
    client.headers["Authorization"] = f"Token {secret}"
    ask("OPTIONS", "api/tickets/")
    ask("GET", "api/followups/?page_size=1", headers={"Accept": "text/html"})

    reading = 1
    ask("GET", f"api/tickets/?page_size={most}")


{"rt": request_tracker, "redmine": redmine, "roundup": roundup, "djhd": django_helpdesk}[kind]()
print(*counts)
