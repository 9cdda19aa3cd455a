"""What a GGUF file answers, asked in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["engine_answers"]

# In a process of its own: the engine is native code and writes to the terminal.
_ASK = """
import json, sys, xllamacpp
path, source, target = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = path
params.n_parallel, params.n_ctx, params.cpuparams.n_threads = 1, 128, 1
server = xllamacpp.Server(params)
answers = []
for question in json.load(open(source)):
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 40}
    answers.append(server.handle_chat_completions(body)["choices"][0]["message"]["content"])
json.dump(answers, open(target, "w"))
"""


def engine_answers(gguf: Path, questions: Sequence[str], folder: Path) -> list[str]:
    """Return the answers of a file to questions, in order."""
    source, target = folder / "questions.json", folder / "answers.json"
    source.write_text(json.dumps(list(questions)))
    command = [sys.executable, "-c", _ASK, str(gguf), str(source), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return json.loads(target.read_text())
