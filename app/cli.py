"""`penchant ...`: every command, thin. A command imports what is heavy itself, so that --help is quick."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from app.errors import PenchantError, SettingsError
from app.history.weights import use_event_types
from app.settings import FILE_VARIABLE, Settings, settings_file

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Penchant, an online recommendation service.")
data = typer.Typer(no_args_is_help=True, help="Fetch, clean and load data.")
bundle = typer.Typer(no_args_is_help=True, help="Look at trained bundles.")
benchmark = typer.Typer(no_args_is_help=True, help="Measure against tuned baselines, one resumable run a cell.")
app.add_typer(data, name="data")
app.add_typer(bundle, name="bundle")
app.add_typer(benchmark, name="benchmark")

REPORTS = Path("docs/reports")
Recipe = Annotated[str, typer.Option(help="Training recipe: tiny, fast, cpu or gpu.")]
TextModel = Annotated[
    Path | None, typer.Option(help="Hugging Face folder of the item encoder.", exists=True, file_okay=False)
]
UserModel = Annotated[
    Path | None, typer.Option(help="Hugging Face folder of the user LLM.", exists=True, file_okay=False)
]
Seed = Annotated[int, typer.Option(help="Seed: the same seed and data give the same bundle.")]


def main() -> None:
    """Run a command; an error of ours is one line and exit status 1, never a traceback."""
    try:
        app()
    except PenchantError as error:
        typer.secho(f"penchant: {error}", fg="red", err=True)
        sys.exit(1)


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` one flag a setting; it receives them as its argument `settings`.

    A flag left out falls back to the environment, the file, the default (see `app.settings`).
    """

    def run(**arguments: Any) -> None:
        told = {name: arguments.pop(name) for name in Settings.model_fields}
        settings = _read_settings({name: v for name, v in told.items() if v is not None})
        use_event_types(settings.event_type_changes())
        command(settings=settings, **arguments)

    own = [parameter for name, parameter in signature(command).parameters.items() if name != "settings"]
    run.__signature__ = Signature([*own, *_flags()])  # type: ignore[attr-defined]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _flags() -> list[Parameter]:
    return [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    f"--{name.replace('_', '-')}",
                    help=f"{field.description} [default: {field.default}] [env: PENCHANT_{name.upper()}]",
                    show_default=False,
                    rich_help_panel="Settings",
                ),
            ],
        )
        for name, field in Settings.model_fields.items()
    ]


def _read_settings(told: dict[str, str]) -> Settings:
    file = settings_file()
    if FILE_VARIABLE in os.environ and not file.is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {file}, which is not there")
    try:
        return Settings(**told)  # type: ignore[arg-type]  # strings: pydantic reads them
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise typer.BadParameter(f"setting {place}: {first['msg']}, got {first['input']!r}") from invalid
    except ValueError as unreadable:  # not TOML, or not UTF-8
        raise SettingsError(f"{file} cannot be read as TOML: {unreadable}") from unreadable


@app.command()
@with_settings
def serve(settings: Settings) -> None:
    """Serve the API. Stops at once, with one line, where the bundle cannot be used."""
    from app.serve import serve_forever

    serve_forever(settings)


@app.command()
@with_settings
def doctor(settings: Settings) -> None:
    """Look at all that serving needs; say what is wrong and what to do. Exit status 1 when something is broken."""
    from app.doctor.checks import CHECKS
    from app.doctor.finding import State, examine

    colours = {State.FINE: "green", State.DOUBTFUL: "yellow", State.BROKEN: "red"}
    worst_is_broken = False
    for name, finding in examine(settings, CHECKS):
        worst_is_broken = worst_is_broken or finding.state is State.BROKEN
        typer.echo(f"{typer.style(f'{finding.state:<8}', fg=colours[finding.state])}  {name:<9} {finding.found}")
        if finding.do:
            typer.echo(f"{'':<20}-> {finding.do}")
    raise typer.Exit(int(worst_is_broken))


@app.command()
@with_settings
def demo(
    settings: Settings,
    recipe: Recipe = "fast",
    seed: Seed = 0,
    serve: Annotated[bool, typer.Option(help="Serve at the end, or stop once all is ready to be served.")] = True,
) -> None:
    """Everything in one go on MovieLens-100K: fetch, clean, fine-tune, evaluate, load, serve. Reuses what is done."""
    from app.threads import let_waiting_threads_sleep

    let_waiting_threads_sleep()  # here, since training loads what serves afterwards
    from app.offline.demo import prepare_demo
    from app.serve import serve_forever

    hint = prepare_demo(settings, recipe, seed)
    if serve:
        serve_forever(settings, hint)


@data.command("get")
@with_settings
def data_get(settings: Settings) -> None:
    """Fetch MovieLens-100K and the base model; print the terms they come under."""
    from rich.console import Console

    from app.offline.fetch import fetch_base_model, fetch_movielens

    console = Console()
    console.print(fetch_movielens(settings.data_dir, console))
    console.print(fetch_base_model(settings.data_dir, console))


@data.command("clean")
@with_settings
def data_clean(
    settings: Settings,
    events: Annotated[Path, typer.Argument(help="Events: CSV, TSV, JSONL (also .gz) or Parquet.", exists=True)],
    items: Annotated[Path, typer.Argument(help="Items, in any of the same forms.", exists=True)],
    name: Annotated[str, typer.Option(help="Name of the data set; its folder is <data_dir>/data/<name>.")],
    mapping: Annotated[str, typer.Option(help="Column mapping: a ready-made one, or a TOML file.")] = "api",
    column: Annotated[list[str] | None, typer.Option(help="Change one entry: events.at=ts. May be repeated.")] = None,
) -> None:
    """Clean events and items, and say what was dropped and why."""
    from app.offline.clean import clean
    from app.offline.columns import get_mapping
    from app.offline.data_report import to_markdown

    report = clean(events, items, get_mapping(mapping, column or ()), dataset_folder(settings, name), name)
    typer.echo(to_markdown(report))


@data.command("load")
@with_settings
def data_load(settings: Settings, name: Annotated[str, typer.Argument(help="A cleaned data set.")]) -> None:
    """Store a cleaned data set's items and events, so that the server knows its users."""
    import asyncio

    from rich.progress import Progress

    from app.offline.load import load_dataset

    with Progress() as progress:
        work = load_dataset(dataset_folder(settings, name), name, settings.database_url, progress)
        n_items, n_events = asyncio.run(work)
    typer.echo(f"{n_items} items and {n_events} events were new")
    _warn_of_leftovers(settings, name)


def _warn_of_leftovers(settings: Settings, name: str) -> None:
    from app.catalogue.leftovers import ADVICE, count_leftovers
    from app.offline.dataset import read_items
    from app.storage.database import database_path

    known = [item.item_id for item in read_items(dataset_folder(settings, name))]
    left = count_leftovers(database_path(settings.database_url), known)
    if left.are_many:
        typer.secho(
            f"{left.n:,} of {left.n_served:,} items there are not of {name}, and are served too: {ADVICE}", fg="yellow"
        )


events = typer.Typer(no_args_is_help=True, help="The live log of events.")
app.add_typer(events, name="events")


@events.command("export")
@with_settings
def events_export(
    settings: Settings,
    parquet: Annotated[Path, typer.Option(help="Where to write the events, as Parquet.")],
    items: Annotated[Path | None, typer.Option(help="Where to write the items too, as JSON lines.")] = None,
) -> None:
    """Write the live log as tables that `penchant data clean` reads, for training on what users did here."""
    import asyncio

    from app.offline.export_events import export_events

    n_events, n_items = asyncio.run(export_events(settings.database_url, parquet, items))
    typer.echo(f"{n_events} events in {parquet}" + (f", {n_items} items in {items}" if items else ""))


@app.command()
@with_settings
def train(
    settings: Settings,
    name: Annotated[str, typer.Argument(help="A cleaned data set.")],
    recipe: Recipe = "fast",
    protocol: Annotated[
        Literal["loo", "time"], typer.Option(help="What is held out: loo (last events) or time (last tenth).")
    ] = "loo",
    seed: Seed = 0,
    text_model: TextModel = None,
    user_model: UserModel = None,
    earlier: Annotated[
        str, typer.Option("--from", help="Go on from this bundle, a version or `current`, instead of starting over.")
    ] = "",
    domain_steps: Annotated[
        int,
        typer.Option(min=0, help="Steps of reading the catalogue's texts as language before all else; 0: none."),
    ] = 0,
    current: Annotated[bool, typer.Option(help="Serve this bundle from now on.")] = True,
) -> None:
    """Fine-tune and build a bundle. A run that was killed goes on where it stopped."""
    from app.offline.train import train_bundle

    folder = train_bundle(
        settings,
        name,
        recipe,
        protocol,
        seed,
        text_model,
        user_model,
        earlier=earlier,
        domain_steps=domain_steps,
        current=current,
    )
    typer.echo(f"bundle {folder.name} at {folder}")


@app.command()
@with_settings
def evaluate(
    settings: Settings,
    versions: Annotated[list[str], typer.Argument(help="Bundles of one data set, one a protocol.")],
    report: Annotated[str, typer.Option(help="Name of the report in docs/reports.")] = "evaluation",
) -> None:
    """Rank the held-out events with each bundle and with tuned baselines; write the report, metrics and cards."""
    from app.offline.evaluate_bundles import evaluate_bundles

    typer.echo(evaluate_bundles(settings, versions, report))


@app.command()
@with_settings
def replay(
    settings: Settings,
    version: Annotated[str, typer.Argument(help="The bundle to judge; one beside the one that is served.")],
    days: Annotated[int, typer.Option(min=1, help="How far back the logged slates are taken from.")] = 30,
    placement: Annotated[str | None, typer.Option(help="Only slates of this placement.")] = None,
    as_placement: Annotated[str | None, typer.Option(help="Ask for them under this placement instead.")] = None,
    outcome: Annotated[
        list[str] | None, typer.Option(help="Type of event that counts. Default: all with a weight above 0.")
    ] = None,
) -> None:
    """Estimate from logged slates what another bundle or placement would have got, by inverse propensity."""
    import asyncio

    from app.offline.replay import replay_store
    from app.offline.replay_table import to_markdown

    since = datetime.now(UTC) - timedelta(days=days)
    folder = settings.bundle_dir.parent / version
    work = replay_store(settings, folder, since, placement=placement, as_placement=as_placement, outcomes=outcome or ())
    typer.echo(to_markdown(asyncio.run(work)))


@bundle.command("list")
@with_settings
def bundle_list(settings: Settings) -> None:
    """The bundles beside the one that is served."""
    from app.bundle import list_bundles

    for manifest in list_bundles(settings.bundle_dir.parent):
        typer.echo(f"{manifest.version}  {manifest.dataset}  {manifest.recipe}  {manifest.protocol}")


@bundle.command("verify")
@with_settings
def bundle_verify(settings: Settings) -> None:
    """Check every byte of the bundle, load it, and ask its golden queries."""
    from app.device import choose_device
    from app.wiring import load_bundle

    version = load_bundle(settings.bundle_dir, choose_device(settings))[0].version
    typer.echo(f"bundle {version} is whole and answers as it did when it was trained")


@benchmark.command("quality")
@with_settings
def benchmark_quality(
    settings: Settings,
    data: Annotated[list[Path], typer.Option(help="Folder with interactions.tsv.gz, items.tsv.gz.", exists=True)],
    recipe: Recipe = "cpu",
    split: Annotated[
        list[str] | None, typer.Option(help="What is held out: loo, time, cold, random. Default: the first two.")
    ] = None,
    contestant: Annotated[
        list[str] | None, typer.Option(help="Who takes part. Default: all baselines, ours and its blocks.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of everything that is trained.")] = 1,
    reports: Annotated[Path, typer.Option(help="Folder of the report; its runs/ keeps what is done.")] = REPORTS,
    text_model: TextModel = None,
    user_model: UserModel = None,
) -> None:
    """Run every cell that has no run yet, then write quality.md and quality.json from all runs there are."""
    from app.offline.benchmark.quality import USUAL, Plan, benchmark_quality
    from app.offline.recipes import get_recipe
    from app.offline.split import Protocol

    if unknown := set(split or ()) - set(Protocol):
        raise typer.BadParameter(f"no split {', '.join(sorted(unknown))}: choose from {', '.join(Protocol)}")
    splits = [Protocol(name) for name in split or ("loo", "time")]
    plan = Plan(data, splits, contestant or USUAL, seeds, get_recipe(recipe), reports, text_model, user_model)
    typer.echo(benchmark_quality(settings, plan))


@benchmark.command("cost")
@with_settings
def benchmark_cost(
    settings: Settings,
    recipe: Recipe = "cpu",
    reports: Annotated[Path, typer.Option(help="Folder of the report; its runs/ keeps the figures.")] = REPORTS,
) -> None:
    """Measure CPU time on one core: a new event on cached state, the request head, whole histories."""
    from app.offline.benchmark.cost import measure_cost
    from app.offline.recipes import get_recipe

    typer.echo(measure_cost(settings, get_recipe(recipe), reports / "runs"))


@benchmark.command("report")
def benchmark_report(
    reports: Annotated[Path, typer.Option(help="Folder of the report; its runs/ are read.")] = REPORTS,
) -> None:
    """Write quality.md and quality.json anew from the runs there are. Needs neither data nor models."""
    from app.offline.benchmark.quality_page import write_quality_report

    typer.echo(write_quality_report(reports / "runs", reports, "penchant benchmark report"))


def dataset_folder(settings: Settings, name: str) -> Path:
    """Where `data clean` puts a data set and every other command looks for it."""
    return settings.data_dir / "data" / name


if __name__ == "__main__":
    main()
