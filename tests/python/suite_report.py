# SPDX-License-Identifier: MIT
"""The table that run_suites.py --report writes."""

import json


def report(logs, path, suites, modes):
    """Writes the table version x suite of what is recorded in the folder of logs."""
    facts = {}
    for file in logs.glob("*/*/*.json"):
        facts[file.parts[-3], file.stem, file.parts[-2]] = json.loads(file.read_text())
    versions = sorted({key[0] for key in facts}, key=lambda text: tuple(map(int, text.split("."))))
    lines = [
        "# CPython's own suites",
        "",
        "Written by `tests/python/run_suites.py --report`, from runs at " +
        ", ".join(f"`{commit}`" for commit in sorted({fact["commit"] for fact in facts.values()})) + ".",
        "",
        "Each cell: tests that passed in the interpreter as it is / with `threading` replaced / with our locks below the",
        "stdlib's own `threading.py`. In brackets: those that failed, where any did. Empty: the installation lacks the suite; a dash: not run.",
        "Skipped tests (no debug build, run as root, too little memory allowed) are the same in all three.",
        "",
        "| suite | " + " | ".join(versions) + " |",
        "|---" * (len(versions) + 1) + "|",
    ]
    failing = {}
    for suite in suites:
        cells = []
        for version in versions:
            found = [facts.get((version, suite, mode)) for mode in modes]
            for mode, fact in zip(modes, found):
                for test in fact["failing"] if fact else []:
                    failing.setdefault((version, suite, test), []).append(mode)
            texts = ["–" if fact is None else f"{fact['passed']}" + (f" ({len(fact['failing'])})" if fact["failing"] else "")
                     for fact in found]
            cells.append(" / ".join(texts) if any(found) else "")
        if any(cells):
            lines.append(f"| {suite} | " + " | ".join(cells) + " |")
    lines += ["", "Failing, by itself too:" if failing else "No test fails.", ""]
    for (version, suite, test), modes in sorted(failing.items()):
        lines.append(f"- {version} {suite}: {test} ({', '.join(modes)})")
    path.write_text("\n".join(lines).rstrip() + "\n")
