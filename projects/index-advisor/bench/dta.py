"""Asks the DTA of postgres-mcp for indexes. Reads a JSON object from standard input, writes one to standard output.

In:  {"url", "statements": [{"sql", "calls"}], "budgetMb": -1 for none, "seconds"}
Out: {"indexes": ["CREATE INDEX ..."], "calls", "seconds"}

Statements go in as they are: its own way in writes all in lower case, constants too, which would be unfair to it.
"""

import asyncio
import json
import sys
import time

from pglast import parse_sql
from postgres_mcp.index.dta_calc import DatabaseTuningAdvisor
from postgres_mcp.sql import SqlDriver


class Counting(SqlDriver):
    """Counts how often the planner is asked."""

    calls = 0

    async def execute_query(self, query, params=None, force_readonly=False):
        if "EXPLAIN (" in query:
            self.calls += 1
        return await super().execute_query(query, params, force_readonly)


async def main(asked):
    driver = Counting(engine_url=asked["url"])
    advisor = DatabaseTuningAdvisor(
        driver, budget_mb=asked["budgetMb"], max_runtime_seconds=asked["seconds"]
    )
    weighted = []
    for statement in asked["statements"]:
        tree = parse_sql(statement["sql"])[0].stmt
        # As its own way in does: it advises for SELECT only.
        if advisor._is_analyzable_stmt(tree):
            weighted.append((statement["sql"], tree, float(statement["calls"])))
    begun = time.monotonic()
    advisor._analysis_start_time = time.time()
    found = await advisor._generate_recommendations(weighted)
    formatted = await advisor._format_recommendations(weighted, found)
    seconds = time.monotonic() - begun
    await driver.conn.close()
    return {
        "indexes": [each.definition for each in formatted],
        "calls": driver.calls,
        "seconds": seconds,
    }


print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
