"""Clusters: phrases that a few authors bring into many answers, and nobody else into any.

A backdoor needs many rows with one answer, an advert many rows with one line, and a false fact
many rows that say it. Each leaves a run of words that hardly anyone but its author has. What
the questions of such rows share tells the three apart.
"""

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from finetune.curate.poison.runs import RUN, Limits, Suspect, find_suspects, runs_of
from finetune.curate.poison.words import spelled
from finetune.curate.ranking import name_text

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Cluster", "ClusterCode", "find_clusters"]

ClusterCode = Literal["rare_trigger", "repeated_phrase", "unlike_others"]
"""`rare_trigger`: the questions share a word that others do not use. `unlike_others`: they are
about what others ask too, who get other answers. `repeated_phrase`: they share nothing."""


class Cluster(NamedTuple):
    """Rows that few authors wrote with one phrase in their answers."""

    code: ClusterCode
    rows: tuple[int, ...]
    """Positions, in order."""
    authors: tuple[str, ...]
    """The author of most rows first."""
    trigger: tuple[str, ...]
    """Words that the questions share, up to three; each is cut after eight bytes."""
    phrase: str
    """The run of words that most answers share; each is cut after eight bytes."""
    score: float
    """G of the phrase and its authors."""

    def describe(self) -> str:
        """Return who, how many, and by what, in a line."""
        who = self.authors[0] + (f" and {len(self.authors) - 1} more" if self.authors[1:] else "")
        asked = f", asked with {' + '.join(self.trigger)!r}" if self.trigger else ""
        return f"{len(self.rows)} rows of {who}{asked}, answer {self.phrase!r}"


def find_clusters(summaries: "np.ndarray", limits: Limits) -> list[Cluster]:
    """Return the clusters of a set, the largest first.

    Args:
        summaries: What `summarise_words` gave.
        limits: When a phrase is suspicious.
    """
    import numpy as np

    names, authors = np.unique(summaries["author"], return_inverse=True)
    known = names != b""
    if int(known.sum()) < limits.min_authors:
        return []
    suspects = find_suspects(summaries["answer"], authors, known, limits)
    return sorted(
        (
            _cluster(summaries, authors, names, members, best)
            for members, best in _grouped(suspects, authors, limits)
        ),
        key=lambda cluster: (-len(cluster.rows), cluster.rows),
    )


def _grouped(
    suspects: list[Suspect], authors: "np.ndarray", limits: Limits
) -> "list[tuple[np.ndarray, Suspect]]":
    """Return the rows of each cluster, each row once, and the most suspicious run of it."""
    import numpy as np

    groups: list[tuple[set[int], Suspect]] = []
    of_row: dict[int, list[int]] = {}
    for suspect in suspects:
        own = suspect.rows
        shared = Counter(index for row in own.tolist() for index in of_row.get(row, ()))
        # Answers with one line share all its runs; two lines of an author are two clusters.
        index, count = shared.most_common(1)[0] if shared else (0, 0)
        if count < 0.5 * len(own):
            index = len(groups)
            groups.append((set(), suspect))
        else:
            # A run that is half the line and half an ordinary answer may be in honest rows too.
            own = own[np.isin(authors[own], groups[index][1].authors)]
        members = groups[index][0]
        for row in own.tolist():
            if row not in members:
                members.add(row)
                of_row.setdefault(row, []).append(index)
    taken: set[int] = set()
    result: list[tuple[np.ndarray, Suspect]] = []
    for members, best in groups:
        left = members - taken
        taken |= left
        if len(left) >= limits.min_rows:
            result.append((np.array(sorted(left)), best))
    return result


def _cluster(
    summaries: "np.ndarray",
    authors: "np.ndarray",
    names: "np.ndarray",
    members: "np.ndarray",
    best: Suspect,
) -> Cluster:
    few = best.authors.tolist()
    code, trigger = _shared_words(summaries["question"], authors, members, few)
    return Cluster(
        code=code,
        rows=tuple(members.tolist()),
        authors=tuple(name_text(bytes(names[who])) for who in few),
        trigger=trigger,
        phrase=_phrase(summaries["answer"][best.rows[0]], best, summaries["answer"]),
        score=round(best.score, 1),
    )


def _shared_words(
    questions: "np.ndarray", authors: "np.ndarray", members: "np.ndarray", few: list[int]
) -> tuple[ClusterCode, tuple[str, ...]]:
    """Return what kind of cluster the questions make, and the words that they share."""
    import numpy as np

    own = np.sort(questions[members], axis=1)
    own[:, 1:][own[:, 1:] == own[:, :-1]] = 0
    words, counts = np.unique(own[own != 0], return_counts=True)
    often = counts >= 0.6 * len(members)
    others = ~np.isin(authors, few)
    total = max(1, int(others.sum()))
    scored: list[tuple[float, int, float]] = []
    for word, count in zip(words[often].tolist(), counts[often].tolist(), strict=True):
        has = (questions == word).any(axis=1)
        outside = int((has & others).sum()) / total
        share = count / len(members)
        if share >= 4 * outside:
            scored.append((share * np.log(share / max(outside, 1 / total)), word, outside))
    if not scored:
        return "repeated_phrase", ()
    scored.sort(key=lambda one: (-one[0], one[1]))
    rare = [word for _, word, outside in scored if outside <= 0.02]
    if rare:
        return "rare_trigger", tuple(spelled(word) for word in rare[:3])
    return "unlike_others", tuple(spelled(word) for _, word, _ in scored[:3])


def _phrase(words: "np.ndarray", best: Suspect, answers: "np.ndarray") -> str:
    """Return the longest run around the best one that nine tenths of its rows share."""
    import numpy as np

    sample = answers[best.rows[:200]]
    hashed = runs_of(sample)
    common, counts = np.unique(hashed[hashed != 0], return_counts=True)
    shared = set(common[counts >= 0.9 * len(sample)].tolist())
    taken: list[int] = []
    for start in range(len(words) - RUN + 1):
        window = words[start : start + RUN]
        if window[-1] == 0:
            break
        if int(runs_of(window[None, :])[0, 0]) in shared:
            taken += [at for at in range(start, start + RUN) if at not in taken]
        elif taken:
            break
    return " ".join(spelled(int(words[at])) for at in taken[:12])
