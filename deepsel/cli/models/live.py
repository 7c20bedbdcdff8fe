"""`deepsel models --provider NAME --live`: what a provider serves now, beside what the catalog knows of it."""

from __future__ import annotations

import sys

from deepsel.cli.context import open_session
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.show.plain import plain
from deepsel.show.record import SCHEMA_VERSION, dump


def live(common: Common, provider: str, query: str, *, as_json: bool) -> None:
    """Print the ids whose text holds every word of the query, each with the name the catalog has for it."""
    from deepsel.session.served import served_models

    with open_session(common) as session:
        words = query.lower().split()
        ids = [one for one in served_models(session, provider) if all(word in one.lower() for word in words)]
        known = {row.id: row.name for row in session.settings.models.values() if row.provider == provider}
        rows = session.settings.catalog.model_rows
        known = {row["id"]: name for name, row in rows.items() if row["provider"] == provider} | known
    if as_json:
        models = [{"id": one, "model": known.get(one, f"{provider}/{one}"), "known": one in known} for one in ids]
        write_stdout(dump({"schema": SCHEMA_VERSION, "provider": provider, "models": models}))
        return
    write_stdout("".join(f"{plain(known.get(one, f'{provider}/{one}'))}\n" for one in ids))
    if not common.quiet:
        sys.stderr.write(f"{len(ids)} model{'s' if len(ids) != 1 else ''} at {provider}, as `-m` takes them\n")
