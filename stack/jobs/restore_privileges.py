"""Gives a service's role back what it may do with its own tables, as the schema's owner; nothing else is changed."""

import argparse
import os

from psycopg import sql

from stack.jobs.common import database, report
from stack.services.common.settings import Settings

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")


def run(settings: Settings, schema: str) -> None:
    """Grant what is missing."""
    restored = []
    with database(settings) as session:
        missing = session.execute(
            "SELECT c.relname, p.name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
            " unnest(%s::text[]) p(name) WHERE n.nspname = %s AND c.relkind = 'r' AND c.relowner = %s::regrole"
            " AND NOT has_table_privilege(%s, c.oid, p.name)",
            (list(PRIVILEGES), schema, schema, schema),
        ).fetchall()
        for table, privilege in missing:
            session.execute(
                sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(privilege), sql.Identifier(schema, table), sql.Identifier(schema)
                )
            )
            restored.append(f"{privilege} on {schema}.{table}")
    report({"restored": restored})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--schema", required=True)
    run(Settings(os.environ), parser.parse_args().schema)
