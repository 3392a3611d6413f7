"""A Markdown page as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from markdown_it import MarkdownIt

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: 0.3rem 0.6rem; text-align: left; }
th { border-bottom: 2px solid #999; }
img { max-width: 100%; }
code { background: #f3f3f3; padding: 0 0.2rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { background: #1c1c1c; color: #ddd; } code { background: #333; }
  th, td { border-color: #444; } img { background: #fff; }
}
"""


def to_html(markdown: str, folder: Path) -> str:
    """Render a page with its pictures inside.

    Args:
        markdown: the page; its first heading becomes the title.
        folder: that pictures' paths count from.
    """
    body = MarkdownIt("commonmark").enable("table").render(markdown)
    body = re.sub(r'src="([^":]+\.png)"', lambda found: _inlined(folder / found[1]), body)
    body = body.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
    heading = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    title = heading[1] if heading else "Report"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _inlined(path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'src="data:image/png;base64,{encoded}"'
