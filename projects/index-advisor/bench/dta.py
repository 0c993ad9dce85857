"""Asks the DTA of postgres-mcp for indexes. Reads a JSON object from standard input, writes one to standard output.

In:  {"url", "statements": [{"sql", "calls"}], "budgetMb": -1 for none}
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


class Tolerant(DatabaseTuningAdvisor):
    """An alias of an outer query it takes for a table, and then fails as a whole: such candidates are left out."""

    there = frozenset()

    def _filter_candidates_by_query_conditions(self, workload, candidates):
        kept = super()._filter_candidates_by_query_conditions(workload, candidates)
        return [c for c in kept if all((c.table, column) in self.there for column in c.columns)]


async def main(asked):
    driver = Counting(engine_url=asked["url"])
    advisor = Tolerant(driver, budget_mb=asked["budgetMb"])
    columns = await driver.execute_query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    advisor.there = {(c.cells["table_name"], c.cells["column_name"]) for c in columns}
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
