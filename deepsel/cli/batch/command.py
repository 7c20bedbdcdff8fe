"""`deepsel batch run`: from the options to a summary; each step is done elsewhere."""

from __future__ import annotations

from deepsel.cli.batch.options import BatchRunOptions
from deepsel.cli.options import Common


def run(common: Common, options: BatchRunOptions) -> None:
    """Ask thousands of prompts, resumable to the line.

    Records go to the output, one a line; a journal lies beside it until every line has succeeded.
    """
    from deepsel.cli.batch.steps import carry_out, job_of
    from deepsel.cli.context import choose_profile, load_settings, open_session

    settings = load_settings(common)
    profile = choose_profile(settings, common)
    with open_session(common, settings) as session:
        job = job_of(options, profile, session)
        if options.fleet is None or options.dry_run:
            carry_out(job, options, common)
            return
        from deepsel.cli.batch.share import carry_share

        carry_share(job, options, common)
