"""Scripts of a page, inserted as text, and the data that they read.

The content security policy of a page allows only the scripts whose digest it lists, and no request. A page without
scripts, or in a browser that runs none, shows the same content.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

FOLDER = Path(__file__).with_suffix("")


def inline_scripts(names: Sequence[str]) -> tuple[Markup, str]:
    """Insert scripts into a page.

    Parameters
    ----------
    names
        Names of files in the folder `scripts`, without suffix; a name that occurs twice is inserted once.

    Returns
    -------
    markup, sources : Markup, str
        The `script` elements, and the value of `script-src` in the content security policy that allows exactly these.
    """
    texts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in dict.fromkeys(names)]
    markup = "\n".join(f"<script>{text}</script>" for text in texts)
    return Markup(markup), " ".join(map(_source, texts)) or "'none'"


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def data_block(name: str, value: Any) -> Markup:
    """Embed data for a script, which reads it with `JSON.parse`.

    Parameters
    ----------
    name
        Id of the element, unique on the page.
    value
        Anything that JSON represents; NaN is refused.

    Returns
    -------
    Markup
        A `script` element of the type `application/json`, which browsers do not run.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return Markup('<script type="application/json" id="{}">{}</script>').format(name, Markup(text))
