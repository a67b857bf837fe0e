#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_docs.py: the reference pages have their sections, and say something about every public name.

Pages: docs/reference/*.md, one per type. Each has the sections of SECTIONS in that order, none of them empty, a line
that says what to include, and links that lead somewhere. Headers: include/threading/*.hpp. Each public class has a page
that names all of its public members, each public function stands on some page, and each declaration in a header has a
comment: above it, or above the group of lines it stands in.
"""

import re

import cpp_text

SECTIONS = [
    "Synopsis",
    "States",
    "Members",
    "Visibility",
    "Lifetime",
    "Fork",
    "Python differences",
    "Example",
    "Since",
]

# Declarations that say it all themselves.
SELF_EVIDENT = re.compile(r"=\s*(delete|default)\b|\[\[deprecated|^friend\b|^using\b|^static_assert\b|^~|\boperator\b")
# Headers that explain themselves: one declaration after the other, for people who write runtimes and primitives.
HEADERS_ARE_THE_PAGE = {"embedding.hpp", "parking_lot.hpp", "python.hpp", "python_item.hpp", "python_queue.hpp"}


class Declaration:
    def __init__(self, name, owner, line, text, documented):
        self.name = name
        self.owner = owner  # the class it is a member of, or None
        self.line = line
        self.text = text
        self.documented = documented


def check(root):
    pages = {path: path.read_text(encoding="utf-8") for path in sorted((root / "docs/reference").glob("*.md"))}
    for path, text in pages.items():
        for problem in page_problems(path, text):
            yield f"{path.relative_to(root)}: {problem}"
    everything = "\n".join(pages.values())
    by_title = {title_of(text): text for text in pages.values()}
    for path in sorted((root / "include/threading").glob("*.hpp")):
        lines = cpp_text.split(path.read_text(encoding="utf-8"))
        for declaration in declarations(lines):
            for problem in declaration_problems(path, declaration, by_title, everything):
                yield f"{path.relative_to(root)}:{declaration.line}: {problem}"


def title_of(text):
    match = re.match(r"# `?([\w:<>]+)", text)
    return re.sub(r"<.*", "", match[1]) if match else None


def page_problems(path, text):
    if not title_of(text):
        yield "does not begin with the name of what it describes, as a heading"
    if not re.search(r"`#include <threading/[\w/]+\.hpp>`", text):
        yield "does not say what to include"
    prose = re.sub(r"```.*?```", lambda match: re.sub(r"(?m)^#", " ", match[0]), text, flags=re.S)
    parts = re.split(r"(?m)^## (.+)$", prose)
    headings = [heading.strip() for heading in parts[1::2]]
    if headings != SECTIONS:
        yield f"its sections are {', '.join(headings)}; they must be {', '.join(SECTIONS)}"
    for heading, body in zip(headings, parts[2::2]):
        if not body.strip():
            yield f"the section {heading} is empty"
        if heading in ("Synopsis", "Example") and "```" not in body:
            yield f"the section {heading} shows no code"
        for member in re.split(r"(?m)^### ", body)[1:]:
            name, _, rest = member.partition("\n")
            if not rest.strip():
                yield f"nothing is said about {name}"
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in link and not (path.parent / link).exists():
            yield f"the link to {link} leads nowhere"


def declaration_problems(path, declaration, by_title, everything):
    if SELF_EVIDENT.search(declaration.text):
        return
    full_name = f"{declaration.owner}::{declaration.name}" if declaration.owner else declaration.name
    is_constructor = declaration.name == declaration.owner  # the comment of its class introduces it
    is_class = declaration.text.endswith("{") and scope_of(declaration.text[:-1]) is not None
    if not declaration.documented and not is_constructor and not (is_class and path.name in HEADERS_ARE_THE_PAGE):
        yield f"{full_name} has no comment"
    if path.name in HEADERS_ARE_THE_PAGE:
        return
    if declaration.owner is None:
        if not mentions(everything, declaration.name):
            yield f"{full_name} stands on no page of docs/reference"
        return
    page = by_title.get(declaration.owner)
    if page is None and not mentions(everything, declaration.owner):
        yield f"{declaration.owner} has no page in docs/reference"
    elif not mentions(page or everything, declaration.name):
        yield f"{full_name} is not on its page"


def mentions(text, name):
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def declarations(lines):
    """The public functions and classes of a header that are not in a namespace `detail`."""
    scopes = []  # of [kind, name, whether members are public now]; kind: namespace, detail or class
    skipped = 0  # braces open inside a function's body, an initialiser or an argument
    statement = ""
    commented = False  # a comment stands above the group of lines that this one belongs to
    for line in lines:
        if not statement and not skipped:
            if line.is_blank() or line.code.lstrip().startswith("#"):
                commented = False
                continue
            if line.is_comment_only():
                commented = True
                continue
        for character in line.code:
            if skipped:
                skipped += {"{": 1, "}": -1}.get(character, 0)
                continue
            if not statement.strip():
                start = line
            statement += character
            text = statement.strip()
            documented = commented or bool(start.comment) or bool(line.comment)
            if character == "{" and re.search(r"\brequires\s+requires\b[^{]*\{$", text):
                statement = text[: text.index("requires")]  # the body of a requires-expression; the declaration goes on
                skipped = 1
            elif character == "{":
                scope = scope_of(text[:-1]) if balanced(text[:-1]) else None
                if scope:
                    if scope[0] == "class" and is_public(scopes) and scope[1]:
                        yield Declaration(scope[1], None, start.number, text, documented)
                    scopes.append(scope)
                    statement = ""
                else:
                    skipped = 1
                    if balanced(text[:-1]):
                        if is_public(scopes) and is_function(text):
                            yield Declaration(name_of(text), owner_of(scopes), start.number, text, documented)
                        statement = ""
            elif character == "}" and scopes:
                scopes.pop()
                statement = ""
            elif character == ";" and balanced(text[:-1]):
                if is_public(scopes) and is_function(text):
                    yield Declaration(name_of(text), owner_of(scopes), start.number, text, documented)
                statement = ""
            elif scopes and re.fullmatch(r"(public|protected|private)\s*:", text):
                scopes[-1][2] = text.startswith("public")
                statement = ""
                commented = False
        statement = statement + " " if statement.strip() else ""


def is_public(scopes):
    return bool(scopes) and all(kind != "detail" and public for kind, _, public in scopes)


def owner_of(scopes):
    return scopes[-1][1] if scopes and scopes[-1][0] == "class" else None


def balanced(text):
    return text.count("(") == text.count(")")


def scope_of(head):
    if re.match(r"(inline\s+)?namespace\b", head):
        return ["detail" if re.search(r"\bdetail\b", head) else "namespace", None, True]
    head = re.sub(r"^template\s*<.*?>\s*(?=(class|struct|requires))", "", head)
    match = re.match(r"(class|struct|union|enum)\b(.*)", head, flags=re.S)
    if match and match[1] in ("class", "struct"):
        words = re.sub(r"THREADING_\w+(\([^)]*\))?|\[\[[^]]*\]\]|\bfinal\b", " ", match[2].split(" : ")[0]).split()
        return ["class", re.sub(r"<.*", "", words[0]) if words else None, match[1] == "struct"]
    return None


def plain(text):
    """A declaration without the parts that contain parentheses of their own."""
    text = re.sub(r"\[\[[^]]*\]\]", " ", text)
    text = re.sub(r"\b(THREADING_\w+|alignas|decltype|noexcept|__attribute__)\s*\((?:[^()]|\([^()]*\))*\)", " ", text)
    text = re.sub(r"^\s*template\s*<[^;{]*?>\s*(?=[\w:~\[(])", " ", text)
    return re.sub(r"\brequires\s*(\((?:[^()]|\([^()]*\))*\)|[\w:]+<[^;{]*?>(?=\s))", " ", text)


def is_function(text):
    text = plain(text)
    if re.match(r"\s*(class|struct|enum|union|extern\s+const|inline\s+constexpr|friend|using|typedef|static_assert)\b", text):
        return False
    return re.search(r"[\w=<>\]*]\s*\(", text) is not None and "=" not in text.split("(")[0]


def name_of(text):
    text = plain(text)
    if re.search(r"\boperator\b", text.split("(")[0]):
        return "operator"
    return re.search(r"(~?\w+)\s*\(", text)[1]


if __name__ == "__main__":
    cpp_text.main(check, __doc__)
