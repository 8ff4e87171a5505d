"""`visawatch classify`: what files say, without a database."""

from __future__ import annotations

import click
from rich.text import Text

from extractors import classify as read_page
from monitor.diff import category
from visawatch.app import App, content, shown
from visawatch.asking import asker, asker_options


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file, a line each.")
@asker_options
@click.pass_obj
def classify(
    app: App, files: tuple[str, ...], as_json: bool, level: str | None, specialty: str
) -> None:
    """Say which visas pages sponsor, with the sentences that prove it.

    FILES are HTML, PDF or text; `-`, or none, is standard input.
    """
    for name in files or ("-",):
        policy = read_page(*content(name), asker(level, specialty))
        if as_json:
            app.echo_json({"source": name, **shown(policy.to_json())})
            continue
        console = app.console()
        console.print(Text(f"{name}: {category(policy.to_json())}", style="bold"))
        for evidence in policy.evidence:
            stance = evidence.stance.replace("_", " ")
            console.print(Text(f"  {evidence.visa} {stance}: “{evidence.quote}”"))
