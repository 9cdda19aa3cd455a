"""Ten documents of a fictional garden shop in four formats, and thirty questions to them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["QUESTIONS", "Asked", "write_corpus", "write_pdf"]

_FILES: Mapping[str, str] = {
    "returns.md": """\
# Returns

## How long

You may send back any unused article within 30 days of delivery. Living plants are different: they
come back within 7 days, in their pot.

## Refunds

The money goes back the way it came, within 5 working days after the parcel has reached us. Gift
cards are refunded as gift cards.

## Broken on arrival

Send a photograph of the damage on the day of delivery; we replace the article and you keep it.
""",
    "delivery.md": """\
# Delivery

## Cost

Parcels cost 4.90 within the country. Orders above 60 travel free of charge.

## Times

What is ordered before noon leaves on the same day and arrives within two days. Trees come by a
haulier, who telephones before he comes.

## Abroad

We deliver to Austria and Switzerland. Plants are not sent to Switzerland because of customs rules.
""",
    "guides/tomatoes.md": """\
---
title: Growing tomatoes
---
Tomatoes
========

Sowing
------

Sow indoors at the end of February, one centimetre deep, at 22 degrees.

Watering
--------

Water the soil and never the leaves: wet leaves invite blight. In a heat wave water twice a day.

Pinching out
------------

Break off the side shoots once a week, so that the strength goes into the fruit.
""",
    "guides/roses.md": """\
# Roses

## Pruning

Cut roses back when the forsythia blooms, a hand above the ground, just over a bud that points
outwards.

## Black spot

Dark rings on yellow leaves are a fungus. Collect the fallen leaves and burn them; do not compost.

## Winter

Heap soil over the graft before the first hard frost.
""",
    "guides/lawn.txt": """\
LAWN CARE

Mow every week from April to October and never take more than a third of the height.

Scarify in spring to get rid of moss. Seed bare patches afterwards and keep them moist for three
weeks.

Feed with slow fertiliser in April and again in June. Before winter use one rich in potassium.
""",
    "guides/compost.txt": """\
COMPOST

Mix kitchen waste with twigs so that air gets in. Meat, bones and cooked food attract rats and do
not belong on the heap.

Turn the heap twice a year. It is ready when it smells of forest floor, after about nine months.
""",
    "shop.html": """\
<!doctype html><html><head><title>Shop</title><style>p {color: red}</style>
<script>var secret = "tracking code";</script></head><body>
<h1>The shop</h1>
<h2>Opening hours</h2>
<p>Monday to Friday 9:00 to 18:30, Saturday 8:00 to 16:00.<br>Closed on Sundays &amp; holidays.</p>
<h2>Parking</h2><p>There are forty parking spaces behind the greenhouse, four of them with a
charger for electric cars.</p>
<h2>Dogs</h2><p>Dogs on a lead are welcome everywhere but in the greenhouse.</p>
</body></html>
""",
    "club.html": """\
<h1>Garden club</h1>
<p>Members get 8 percent off every purchase and a free soil test each spring.</p>
<table><tr><th>Membership</th><th>Price</th></tr><tr><td>single</td><td>24 a year</td></tr>
<tr><td>family</td><td>36 a year</td></tr></table>
<h2>Leaving</h2><p>Cancel by e-mail until the end of November; otherwise it runs another year.</p>
""",
}

_PDFS: Mapping[str, Sequence[Sequence[str]]] = {
    "mower.pdf": (
        ("Robot mower GX-2: manual", "Charge the battery for three hours before its first use."),
        (
            "Error E4 means that the blade is blocked.",
            "Switch off, wear gloves and remove the grass below the cover.",
        ),
        ("The warranty covers two years; the blades are excluded as wearing parts.",),
    ),
    "pump.pdf": (
        ("Pond pump P-90: manual", "The pump lifts water up to three metres high."),
        ("Clean the filter sponge every month with pond water, never with soap.",),
        ("Store the pump in a bucket of water in a frost-free place over the cold months.",),
    ),
}


class Asked(NamedTuple):
    """A question and what answers it."""

    question: str
    path: str
    words: str
    """Part of the passage that answers."""


QUESTIONS: tuple[Asked, ...] = (
    Asked("How many days do I have to return something?", "returns.md", "30 days"),
    Asked("When do I get my money back?", "returns.md", "5 working days"),
    Asked("My order was damaged when it came, what now?", "returns.md", "photograph"),
    Asked("Can I send back a living plant?", "returns.md", "7 days"),
    Asked("What are the shipping fees?", "delivery.md", "4.90"),
    Asked("Is delivery free for large orders?", "delivery.md", "above 60"),
    Asked("How fast will my parcel arrive?", "delivery.md", "two days"),
    Asked("Do you ship plants to Switzerland?", "delivery.md", "customs"),
    Asked("When should I sow tomatoes?", "guides/tomatoes.md", "February"),
    Asked("How do I avoid blight on tomatoes?", "guides/tomatoes.md", "blight"),
    Asked("Should I remove side shoots?", "guides/tomatoes.md", "side shoots"),
    Asked("When are roses cut back?", "guides/roses.md", "forsythia"),
    Asked("My rose has yellow leaves with dark rings", "guides/roses.md", "fungus"),
    Asked("How do I protect roses from frost?", "guides/roses.md", "graft"),
    Asked("How often should the grass be mown?", "guides/lawn.txt", "every week"),
    Asked("What helps against moss in the lawn?", "guides/lawn.txt", "Scarify"),
    Asked("Which fertiliser does a lawn need before winter?", "guides/lawn.txt", "potassium"),
    Asked("May I put bones on the compost?", "guides/compost.txt", "bones"),
    Asked("How long does compost take?", "guides/compost.txt", "nine months"),
    Asked("Are you open on Saturday?", "shop.html", "Saturday"),
    Asked("Where can I charge my electric car?", "shop.html", "charger"),
    Asked("May I bring my dog?", "shop.html", "Dogs"),
    Asked("What discount do members get?", "club.html", "8 percent"),
    Asked("What does a family membership cost?", "club.html", "36 a year"),
    Asked("How do I cancel my membership?", "club.html", "November"),
    Asked("What does error E4 of the mower mean?", "mower.pdf", "blade is blocked"),
    Asked("How long is the mower under warranty?", "mower.pdf", "two years"),
    Asked("How do I clean the filter of the pump?", "pump.pdf", "sponge"),
    Asked("How high can the pump lift water?", "pump.pdf", "three metres"),
    Asked("Where do I keep the pond pump in winter?", "pump.pdf", "bucket"),
)


def write_corpus(folder: Path) -> Path:
    """Write the documents and return their folder."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, pages in _PDFS.items():
        write_pdf(folder / name, pages)
    return folder


def write_pdf(path: Path, pages: Sequence[Sequence[str]]) -> None:
    """Write a PDF with some lines of text on each page, as plainly as the format allows."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 50 750 Td {shown} ET"
        bodies.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents "
            f"{5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        bodies.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    data, places = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(bodies, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(data)
    data += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer << /Size {len(bodies) + 1} /Root 1 0 R >>\n".encode()
    path.write_bytes(data + f"startxref\n{start}\n%%EOF\n".encode())
