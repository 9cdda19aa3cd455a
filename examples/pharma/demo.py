"""The whole of wikiswarm in a few minutes, offline: `make demo`.

Runs the commands that a user would type, shows each with what it prints, and checks the figures
at the end: the wiki knows nothing before its training and answers right after it, learns what
people corrected, refuses a worse dataset, and goes back on command.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from anyio import sleep

from declarative import load
from finetune import read_questions
from swarm import Catalog, Host, run_sync
from wiki import ModelRegistry, ask

HERE = Path(os.path.relpath(Path(__file__).parent))
COMMAND = Path(sys.executable).with_name("wikiswarm")
SWARM = HERE / "swarm.yaml"
QUESTIONS = HERE / "questions.yaml"
NEW = HERE / "asked.yaml"
HOME = Path("build") / "demo"
LIVE = {"PHARMA_WIKI_MODEL": "registry/pharma@live"}
HASHES = Path("build") / "demo-hashes.json"

ASKED = (
    "What does Dolanex cost?",
    "Do you have something against a headache?",
    "How much is a pack of Dolanex?",
    "When are you open on Sunday?",
    "Can I return a product?",
)
BEFORE, TRAINED, HELD_OUT, LOST = 0.05, 0.95, 0.60, 0.01


class Score(NamedTuple):
    """Exact match of one model on one set of questions."""

    exact: int
    rows: int

    @property
    def share(self) -> float:
        """The share of exact answers."""
        return self.exact / self.rows

    def __str__(self) -> str:
        return f"{self.share:6.1%}  ({self.exact} of {self.rows})"


def main() -> int:
    """Run the demo; returns 0 when every figure is inside its limit."""
    started = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    live = LIVE

    title("1. The swarm: checked and described")
    run("check", SWARM)
    run("describe", SWARM, "--format", "mermaid")

    title("2. A wiki that knows nothing: an untrained model")
    base = HOME / "runs" / "base"
    run("train", QUESTIONS, "--method", "none", "--output", base)
    run("package", base, "--name", "pharma", "--promote")
    run("chat", SWARM, *messages(ASKED[:2]), "--client", "before", environment=live)
    before = evaluate("registry/pharma@live"), evaluate("registry/pharma@live", "--held-out")

    title("3. The loop: trained, packaged, judged beside the version in service, promoted")
    first = loop(SWARM)
    result = json.loads((run_folder(first) / "manifest.json").read_text(encoding="utf-8"))
    after = evaluate("registry/pharma@live"), evaluate("registry/pharma@live", "--held-out")
    half = half_precision(run_folder(first))

    title("4. The same conversation again")
    run("chat", SWARM, *messages(ASKED), "--client", "after", environment=live)
    run("runs", "list", "--limit", "3")

    title("5. Customers ask what the wiki does not know, and people say what they think")
    for bad in [r for r in runs() if r["client_id"] == "before"]:
        run("feedback", bad["run_id"], "--rating", "1", quiet=True)
    right = {text: fact.answer for fact in read_questions(NEW) for text in fact.train}
    for number in range(3):  # each customer asks for every new thing, in other words
        asked = tuple(fact.train[number] for fact in read_questions(NEW))
        customer = ("--client", f"customer-{number}")
        run("chat", SWARM, *messages(asked), *customer, environment=live, quiet=number > 0)
    for bad in [r for r in runs() if r["question"] in right]:
        answer = right[bad["question"]]
        run("feedback", bad["run_id"], "--rating", "1", "--correct", answer, quiet=True)
    print(f"{len(right)} answers are corrected")

    title("6. The conversations become training files")
    dataset = HOME / "dataset"
    run("dataset", "collect", "--output", dataset)
    run("dataset", "check", "--minimum", "1", dataset / "sft.jsonl", dataset / "dpo.jsonl")

    title("7. The loop again: the next version learns the corrections")
    second = loop(SWARM)

    title("8. A worse dataset: the answers of questions.yaml are mixed up")
    worse = loop(spoiled(run_folder(second)), is_worse=True)

    title("9. Back to the version before, on command")
    answered_by, milliseconds = run_sync(lambda: roll_back(str(second["version"])))

    title("10. What came of it")
    version = json.loads(run("models", "show", "pharma@live", quiet=True))
    weights = next(f for f in version["manifest"]["files"] if f["name"].endswith(".gguf"))
    hashes = {
        "dataset": result["inputs"]["data.jsonl"],
        "model": result["outputs"]["model/model.safetensors"],
        "version": version["manifest"]["sha256"],
    }
    loss = max(old.share - new.share for old, new in zip(half, after, strict=True))
    rows = [
        ("exact match before, trained phrasings", str(before[0])),
        ("exact match before, held-out phrasings", str(before[1])),
        ("exact match after, trained phrasings", str(after[0])),
        ("exact match after, held-out phrasings", str(after[1])),
        ("lost by q8_0 against f16, at most", f"{loss:6.1%}"),
        ("the gate's questions, first round", change(first)),
        ("the gate's questions, second round", change(second)),
        ("the gate's questions, worse dataset", f"{change(worse)}, {worse['outcome']}"),
        ("after the rollback answers", f"{answered_by}, in {milliseconds:.0f} ms"),
        ("training", f"{seconds(first, 'train'):.0f} s"),
        ("everything", f"{time.monotonic() - started:.0f} s"),
        ("model", f"{weights['size'] / 1e6:.1f} MB  {version['path']}"),
        ("training files", str(dataset)),
        *((f"sha256 of the {name}", value[:16]) for name, value in hashes.items()),
        ("same hashes as the run before", compare(hashes)),
    ]
    for name, value in rows:
        print(f"  {name:<40} {value}")
    print(f"\nNext: wikiswarm chat {SWARM} --home {HOME} --client you")
    print("      with PHARMA_WIKI_MODEL=registry/pharma@live in the environment")
    return verdict(
        {
            f"nothing is known before (at most {BEFORE:.0%})": max(s.share for s in before)
            <= BEFORE,
            f"trained phrasings (at least {TRAINED:.0%})": after[0].share >= TRAINED,
            f"held-out phrasings (at least {HELD_OUT:.0%})": after[1].share >= HELD_OUT,
            f"q8_0 within {LOST:.0%} of f16": loss <= LOST,
            "the first round is promoted": first["outcome"] == "promoted",
            "the second round is better and promoted": second["outcome"] == "promoted",
            "the worse dataset is refused": worse["outcome"] == "refused",
            "the rollback answers with the version before": answered_by == second["before"],
        }
    )


def title(text: str) -> None:
    """Print the title of a step."""
    print(f"\n== {text}", flush=True)


def messages(texts: tuple[str, ...]) -> list[str]:
    """Return the options that send messages one after the other."""
    return [part for text in texts for part in ("--message", text)]


def run(
    *arguments: object,
    quiet: bool = False,
    shows_progress: bool = False,
    environment: dict[str, str] | None = None,
    codes: tuple[int, ...] = (0,),
) -> str:
    """Run a wikiswarm command and show it; with `quiet`, return its standard output instead."""
    words = [str(argument) for argument in arguments]
    if not quiet:
        shown_command(words, environment)
    done = subprocess.run(
        [COMMAND, *words],
        env={**os.environ, "WIKISWARM_HOME": str(HOME), **(environment or {})},
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.PIPE if quiet and not shows_progress else None,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in codes:
        print(done.stderr or "", end="", flush=True)
        raise SystemExit(f"wikiswarm {words[0]} ended with {done.returncode}")
    return done.stdout if quiet else ""


def shown_command(words: list[str], environment: dict[str, str] | None = None) -> None:
    """Print a command as it would be typed."""
    setting = "".join(f"{name}={value} " for name, value in (environment or {}).items())
    shown = " ".join(f'"{word}"' if " " in word else word for word in words)
    print(f"$ {setting}wikiswarm {shown}", flush=True)


def loop(document: Path, *, is_worse: bool = False) -> dict[str, Any]:
    """Run a round of the loop, show what came of it, and return its result."""
    words = ["loop", str(document), "pharma_wiki"]
    shown_command(words, LIVE)
    codes = (1,) if is_worse else (0,)
    found = run(*words, "--json", quiet=True, shows_progress=True, environment=LIVE, codes=codes)
    result: dict[str, Any] = json.loads(found)
    for stage in result["stages"]:
        print(f"  {stage['stage']:<9} {stage['seconds']:6.1f} s")
    for line in (f"{result['outcome']}: {result['version']}", *result["reasons"]):
        print(f"  {line}", flush=True)
    return result


def outputs(result: dict[str, Any], stage: str) -> dict[str, Any]:
    """Return what a stage of a round left."""
    found: dict[str, Any] = next(s for s in result["stages"] if s["stage"] == stage)["outputs"]
    return found


def seconds(result: dict[str, Any], stage: str) -> float:
    """Return how long a stage took."""
    return float(next(s for s in result["stages"] if s["stage"] == stage)["seconds"])


def run_folder(result: dict[str, Any]) -> Path:
    """Return the folder of a round's training."""
    return Path(result["run_dir"]) / str(outputs(result, "train")["run"])


def change(result: dict[str, Any]) -> str:
    """Return the gate's exact match before and after."""
    exact = outputs(result, "gate")["metrics"]["exact"]
    return f"{exact['live']:6.1%}  to {exact['candidate']:6.1%}"


def half_precision(trained: Path) -> tuple[Score, Score]:
    """Return the scores of a training's model whose weights are not quantised."""
    folder = HOME / "f16"
    run("package", trained, "--name", "pharma", "--output", folder, "--quantization", "f16")
    model = f"gguf/{folder / 'pharma-f16.gguf'}"
    return evaluate(model), evaluate(model, "--held-out")


def spoiled(trained: Path) -> Path:
    """Return a document whose questions have the answers of others, learnt by the last version."""
    folder = HOME / "worse"
    folder.mkdir(parents=True)
    facts = read_questions(QUESTIONS)
    mixed = [fact.answer for fact in facts[7:] + facts[:7]]
    rows = [
        fact.model_copy(update={"answer": answer, "held_out": ()}).model_dump_json()
        for fact, answer in zip(facts, mixed, strict=True)
    ]
    (folder / "mixed.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for file in (QUESTIONS, NEW):
        shutil.copy(file, folder)
    settings = {
        "questions": "mixed.jsonl",
        "base": os.path.relpath(trained / "model", folder),
        "technique": "full",
        "licence": "mit",
        "train": {"epochs": 2, "learning_rate": 1e-3, "max_length": 256},
        "promote": "automatically",
        "gate": {"golden": [QUESTIONS.name, NEW.name]},
    }
    wiki = {"model": "${PHARMA_WIKI_MODEL}", "max_tokens": 64, "loop": settings}
    path = folder / "swarm.yaml"
    path.write_text(json.dumps({"wikis": {"pharma_wiki": wiki}}, indent=1), encoding="utf-8")
    return path


async def roll_back(version: str) -> tuple[str, float]:
    """Ask the wiki, take its version back, and ask again; return who answered, and how fast."""
    catalog = load(SWARM, catalog=Catalog(), environment={**os.environ, **LIVE})
    async with Host(catalog=catalog, home=HOME) as host:
        new = await ask("pharma_wiki", ASKED[0], host=host)
        print(f"  {new.model}: {new.text}")
        await sleep(3)  # who has served for a while has the version before loaded as well
        began = time.perf_counter()
        ModelRegistry(HOME / "models").rollback(version.partition("@")[0])
        old = await ask("pharma_wiki", ASKED[0], host=host)
        took = 1000 * (time.perf_counter() - began)
        print(f"  {old.model}: {old.text}  ({took:.0f} ms)", flush=True)
    return old.model.removeprefix("registry/"), took


def evaluate(model: str, *options: str) -> Score:
    """Ask a model the questions and return its score."""
    words = ("evaluate", model, QUESTIONS, *options)
    print("$ wikiswarm", *words, flush=True)
    report: dict[str, Any] = json.loads(run(*words, "--json", quiet=True))
    score = Score(report["exact"], report["rows"])
    print(f"{score} answers exactly right in {report['seconds']:.1f} s", flush=True)
    return score


def runs() -> list[dict[str, Any]]:
    """Return the captured runs, the newest first."""
    found: list[dict[str, Any]] = json.loads(run("runs", "list", "--json", quiet=True))
    return found


def compare(hashes: dict[str, str]) -> str:
    """Say whether the run before made the same, and remember this one."""
    known = json.loads(HASHES.read_text(encoding="utf-8")) if HASHES.is_file() else None
    HASHES.write_text(json.dumps(hashes), encoding="utf-8")
    if known is None:
        return "this is the first run; run it again to see"
    changed = [name for name in hashes if known.get(name) != hashes[name]]
    return f"no: {', '.join(changed)} changed" if changed else "yes"


def verdict(checks: dict[str, bool]) -> int:
    """Say which limits are missed."""
    for name, is_met in checks.items():
        if not is_met:
            print(f"error: missed: {name}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
