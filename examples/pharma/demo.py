"""The whole of wikiswarm in a few minutes, offline: `make demo`.

Runs the commands that a user would type, shows each with what it prints, and checks the figures
at the end: the wiki knows nothing before its training and answers right after it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(os.path.relpath(Path(__file__).parent))
COMMAND = Path(sys.executable).with_name("wikiswarm")
SWARM = HERE / "swarm.yaml"
QUESTIONS = HERE / "questions.yaml"
HOME = Path("build") / "demo"
HASHES = Path("build") / "demo-hashes.json"

ASKED = (
    "What does Dolanex cost?",
    "Do you have something against a headache?",
    "How much is a pack of Dolanex?",
    "When are you open on Sunday?",
    "Can I return a product?",
)
LIMITS = {"before": 0.05, "trained": 0.95, "held_out": 0.60}


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
    live = {"PHARMA_WIKI_MODEL": "registry/pharma@live"}

    title("1. The swarm: checked and described")
    run("check", SWARM)
    run("describe", SWARM, "--format", "mermaid")

    title("2. A wiki that knows nothing: an untrained model")
    base = HOME / "runs" / "base"
    run("train", QUESTIONS, "--method", "none", "--output", base)
    run("package", base, "--name", "pharma", "--promote")
    run("chat", SWARM, *messages(ASKED[:2]), "--client", "before", environment=live)
    before = evaluate("registry/pharma@live"), evaluate("registry/pharma@live", "--held-out")

    title("3. The wiki is trained, evaluated, packaged and put into service")
    trained = HOME / "runs" / "trained"
    training = timed("train", QUESTIONS, "--output", trained)
    result = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    evaluate(str(trained))
    evaluate(str(trained), "--held-out")
    run("package", trained, "--name", "pharma", "--promote")
    after = evaluate("registry/pharma@live"), evaluate("registry/pharma@live", "--held-out")

    title("4. The same conversation again")
    run("chat", SWARM, *messages(ASKED), "--client", "after", environment=live)
    run("runs", "list", "--limit", "3")

    title("5. People say what they think of the answers")
    for bad in [r for r in runs() if r["client_id"] == "before"]:
        run("feedback", bad["run_id"], "--rating", "1")
    corrected = next(r for r in runs() if r["client_id"] == "after" and r["question"] == ASKED[0])
    better = f"{corrected['answer']} Would you like to order one?"
    run("feedback", corrected["run_id"], "--rating", "3", "--correct", better)

    title("6. The conversations become training files")
    dataset = HOME / "dataset"
    run("dataset", "collect", "--output", dataset)
    run("dataset", "check", "--minimum", "1", dataset / "sft.jsonl", dataset / "dpo.jsonl")

    title("7. What came of it")
    version = json.loads(run("models", "show", "pharma@live", quiet=True))
    weights = next(f for f in version["manifest"]["files"] if f["name"].endswith(".gguf"))
    hashes = {
        "dataset": result["inputs"]["data.jsonl"],
        "model": result["outputs"]["model/model.safetensors"],
        "version": version["manifest"]["sha256"],
    }
    rows = [
        ("exact match before, trained phrasings", str(before[0])),
        ("exact match before, held-out phrasings", str(before[1])),
        ("exact match after, trained phrasings", str(after[0])),
        ("exact match after, held-out phrasings", str(after[1])),
        ("training", f"{training:.0f} s"),
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
    return verdict(before, after)


def title(text: str) -> None:
    """Print the title of a step."""
    print(f"\n== {text}", flush=True)


def messages(texts: tuple[str, ...]) -> list[str]:
    """Return the options that send messages one after the other."""
    return [part for text in texts for part in ("--message", text)]


def run(*arguments: object, quiet: bool = False, environment: dict[str, str] | None = None) -> str:
    """Run a wikiswarm command and show it; with `quiet`, return its standard output instead."""
    words = [str(argument) for argument in arguments]
    if not quiet:
        setting = "".join(f"{name}={value} " for name, value in (environment or {}).items())
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        print(f"$ {setting}wikiswarm {shown}", flush=True)
    done = subprocess.run(
        [COMMAND, *words],
        env={**os.environ, "WIKISWARM_HOME": str(HOME), **(environment or {})},
        stdout=subprocess.PIPE if quiet else None,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"wikiswarm {words[0]} ended with {done.returncode}")
    return done.stdout if quiet else ""


def timed(*arguments: object) -> float:
    """Run a command and return its seconds."""
    started = time.monotonic()
    run(*arguments)
    return time.monotonic() - started


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


def verdict(before: tuple[Score, Score], after: tuple[Score, Score]) -> int:
    """Compare the figures with their limits."""
    checks = {
        "before": max(score.share for score in before) <= LIMITS["before"],
        "trained": after[0].share >= LIMITS["trained"],
        "held_out": after[1].share >= LIMITS["held_out"],
    }
    for name, is_met in checks.items():
        if not is_met:
            print(f"error: the figure {name!r} misses its limit {LIMITS[name]:.0%}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
