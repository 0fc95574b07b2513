"""How long the server takes for the integrations page with sixty cards and fifty connections, and in how many queries.

The time is that of a client on the same machine over a kept-alive connection, so it is a little more than the server's.
"""

import http.client
import time
from urllib.parse import urlsplit

from bench import crowd, figures
from bench.crowd_app import QUERIES
from bench.figures import RUNS, Row, median

PATH = "/integrations"
WARM_UP, REQUESTS = 50, 300
P95_MS, MOST_QUERIES = 15.0, 4


def main() -> list[Row]:
    """Measure, keep, compare with the targets."""
    began_under = figures.load()
    with crowd.serving() as site:
        queries = [_timed(site, WARM_UP)[1]]
        times = []
        for _ in range(RUNS):
            run, most = _timed(site, REQUESTS)
            times.append(run)
            queries.append(most)
    middle, p95 = (median([_share(run, share) for run in times]) for share in (0.5, 0.95))
    kept = {"requests_a_run": REQUESTS, "times_ms": times, "queries": max(queries)}
    figures.keep("catalogue_page", began_under, kept)
    return [
        Row("integrations page, 60 cards: p50", f"{middle:.1f} ms"),
        Row("integrations page, 60 cards: p95", f"{p95:.1f} ms", f"≤ {P95_MS:.0f} ms", p95 <= P95_MS),
        Row("integrations page: queries", f"{max(queries)}", f"≤ {MOST_QUERIES}", max(queries) <= MOST_QUERIES),
    ]


def _timed(site: crowd.Site, count: int) -> tuple[list[float], int]:
    """Milliseconds of each request, and the most queries that one of them took."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    headers = {"Cookie": f"{site.cookie_name}={site.cookie}", "Accept-Encoding": "gzip"}
    times, most = [], 0
    for _ in range(count):
        started = time.perf_counter()
        connection.request("GET", PATH, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - started) * 1000)
        if answer.status != 200 or not body:
            raise RuntimeError(f"{PATH} answered {answer.status}")
        most = max(most, int(answer.headers[QUERIES]))
    connection.close()
    return times, most


def _share(times: list[float], share: float) -> float:
    """The time that this share of the requests stayed within."""
    return sorted(times)[int(len(times) * share)]
