#!/usr/bin/env python3
"""Prints the C tables of proto (and the gateway's metrics) as the Markdown tables of proto/README.md.

proto_tables.py           says which of the page's tables differ from the sources
proto_tables.py --write   writes them anew, between `<!-- table NAME -->` and `<!-- end -->`
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "proto" / "README.md"
BLOCK = re.compile(r"(<!-- table ([^>]+?) -->\n)(.*?)(<!-- end -->)", re.S)
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
TYPES = {"const char *": "string", "bool": "boolean", "int64_t": "integer", "double": "number",
         "struct strs": "list of strings", "struct ints": "list of integers", "struct raw": "object"}


def source(*patterns):
    """The sources without comments, adjacent string literals joined."""
    text = "\n".join(p.read_text() for pattern in patterns for p in sorted(ROOT.glob(pattern)))
    text = re.sub(r'("(?:\\.|[^"\\])*")|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.S)
    return re.sub(r'"\s*\n?\s*"', "", re.sub(r'""', '" "', text))


def inside(text, start, pair="()"):
    """What stands between the bracket at `start` and the one that closes it."""
    depth, i = 0, start
    while i < len(text):
        if text[i] == '"':
            i = STRING.match(text, i).end()
            continue
        depth += {pair[0]: 1, pair[1]: -1}.get(text[i], 0)
        if depth == 0:
            return text[start + 1:i]
        i += 1
    raise ValueError(f"not closed: {text[start:start + 60]}")


def split(text):
    """At commas that stand in no bracket and no string."""
    parts, depth, begin, i = [], 0, 0, 0
    while i < len(text):
        if text[i] == '"':
            i = STRING.match(text, i).end()
            continue
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if text[i] == "," and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
        i += 1
    return parts + [text[begin:].strip()] if text[begin:].strip() else parts


def options(parts):
    """.name = value of designated initialisers."""
    pairs = (part.split("=", 1) for part in parts if part.startswith("."))
    return {name.strip()[1:]: value.strip() for name, value in pairs}


def text_of(value):
    return STRING.match(value)[1].replace('\\"', '"') if value else ""


class Proto:
    """Names, numbers, structs and field tables of proto/."""

    def __init__(self):
        self.code = source("proto/*.h", "proto/*.c")
        self.numbers = {m[1]: int(m[2]) for m in re.finditer(r"\b([A-Z][A-Z0-9_]+) = (\d+)", self.code)}
        self.names = {m[1]: STRING.findall(m[2]) for m in
                      re.finditer(r"const char \*const (\w+_names)\[\] = \{([^}]*)\}", self.code)}
        self.members = {m[1]: self.members_of(m[2]) for m in re.finditer(r"^struct (\w+) \{(.*?)^\}", self.code, re.S | re.M)}
        self.docs = {}
        for file in sorted(ROOT.glob("proto/*.c")):  # tables of several files share names
            code = source(f"proto/{file.name}")
            tables = {m[1]: m.end() - 1 for m in re.finditer(r"static const struct field (\w+)\[\] = \{", code)}
            for m in re.finditer(r"const struct doc (\w+)_doc = DOC\((\w+), (\w+)\)", code):
                self.docs[m[1]] = [self.field(row) for row in self.rows(inside(code, tables[m[3]], "{}"))]

    @staticmethod
    def members_of(body):
        found = {}
        for m in re.finditer(r"^\s*((?:const )?(?:struct \w+|enum \w+|\w+)(?: \*|\b))\s*([^;]*);", body, re.M):
            for name in m[2].split(","):
                found[name.strip().lstrip("*")] = m[1].strip()
        return found

    @staticmethod
    def rows(body):
        for m in re.finditer(r"\b(FIELD\w*)\(", body):
            yield m[1], split(inside(body, m.end() - 1))

    def number(self, text):
        text = re.sub(r"INT64_C\((\d+)\)", r"\1", text)
        text = re.sub(r"[A-Z][A-Z0-9_]+", lambda m: str(self.numbers[m[0]]), text)
        return eval(text, {"__builtins__": {}})  # arithmetic out of our own sources

    def field(self, row):
        macro, parts = row
        given = options(parts)
        flags = given.get("flags", "")
        kind = self.type_of(macro, parts, given, flags)
        return {"name": text_of(parts[2]) if macro == "FIELD_AS" else parts[1], "type": kind,
                "text": text_of(given["text"]), "bounds": self.bounds(kind, given), "id": "FIELD_ID" in flags,
                "must": "FIELD_REQUIRED" in flags, "always": "FIELD_ALWAYS" in flags or "FIELD_ID" in flags, "hidden": "FIELD_HIDDEN" in flags}

    def type_of(self, macro, parts, given, flags):
        if macro == "FIELD_DOC":
            return f"object `{parts[2]}`"
        if macro == "FIELD_DOCS":
            return f"list of `{parts[2]}`"
        if names := given.get("names"):
            if names in ("error_names", "kind_names"):
                return {"error_names": "error code", "kind_names": "kind"}[names]
            return ", ".join(f"`{name}`" for name in self.names[names])
        if "FIELD_TIME" in flags:
            return "time"
        return "ObjectId" if "FIELD_OID" in flags else TYPES[self.members[parts[0]][parts[1]]]

    def bounds(self, kind, given):
        low, high = (self.number(given.get(end, "0")) for end in ("min", "max"))
        unit = {"string": " bytes", "list of strings": " items"}.get(kind, "")
        span = f"{low:,} to {high:,}" if low else f"At most {high:,}"
        return f" {span}{unit}." if high else ""


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in line) + " |\n" for line in lines)


def fields(proto, name, stored=False):
    """stored: as the store holds the document; else as JSON shows it."""
    rows = []
    for field in proto.docs[name]:
        if field["hidden"] and not stored:
            continue
        wire = "_id" if field["id"] and stored else field["name"]
        rows.append([f"`{wire}`", field["type"], "always" if field["must"] or field["always"] else "", field["text"]])
    return table(["field", "type", "there", "what"], rows)


def request(proto, name):
    rows = [[f"`{f['name']}`", f["type"], "yes" if f["must"] else "", f["text"] + f["bounds"]]
            for f in proto.docs[name]]
    return table(["field", "type", "required", "what"], rows)


def errors(_proto):
    """Of the raw text: a row's comment is no part of it, its order is."""
    text = (ROOT / "proto" / "error.h").read_text()
    rows = re.findall(r'X\(\w+, "([a-z-]+)", (\d+), (\w+)\)', text)
    return table(["code", "status", "class"], [[f"`{name}`", status, kind.lower()] for name, status, kind in rows])


def routes(_proto):
    code = source("proto/route.c")
    rows = []
    for m in re.finditer(r"(?<!routes)\[ROUTE_\w+\] =\s*\{", code):
        row = options(split(inside(code, m.end() - 1, "{}")))
        role = row.get("role", "ROLE_NONE").removeprefix("ROLE_").lower()
        if "ROUTE_SIGNED" in row.get("flags", ""):
            role = "signature"
        doc = {k: v.removeprefix("&").removesuffix("_doc") for k, v in row.items() if k in ("request", "query", "response")}
        takes = doc.get("request") or doc.get("query", "")
        gives = f"`{doc['response']}`" if "response" in doc else text_of(row.get("content_type")).split(";")[0]
        alias = f"; also `{text_of(row['alias'])}`" if "alias" in row else ""
        rows.append([f"`{text_of(row['method'])}`", f"`{text_of(row['path'])}`{alias}", "open" if role == "none" else role,
                     f"`{takes}`" if takes else "", f"{row['status']} {gives}".strip(), text_of(row["text"])])
    return table(["method", "path", "role", "takes", "answers", "what"], rows)


def kinds(proto):
    rows = []
    for m in re.finditer(r"\[KIND_\w+\] = \{KIND\((\w+)\)([^}]*)\}", proto.code):
        row = options(split(m[2]))
        rows.append([f"`{m[1]}`", f"`mediafleet.{m[1]}`", row["max_attempts"], f"{proto.number(row['timeout_s']):,} s",
                     row["slots"], f"`{m[1]}_params`", f"`{m[1]}_result`"])
    return table(["kind", "queue", "attempts", "timeout", "slots", "params", "result"], rows)


def metrics(_proto):
    code = source("gateway/*.c")
    found = {m[1]: (m[2], m[3]) for m in
             re.finditer(r'"(mediafleet_\w+)",\s*"(counter|gauge|histogram)",\s*"([^"]+)"', code)}
    for m in re.finditer(r'SUM\("(\w+)",\s*"(\w+)",\s*"([^"]+)"', code):
        found["mediafleet_worker_" + m[1]] = (m[2], m[3])
    for m in re.finditer(r'char name\[\] = "(mediafleet_\w+)";.*?metrics_family\(\w+, name, "(\w+)", "([^"]+)"', code, re.S):
        found[m[1]] = (m[2], m[3])
    return table(["metric", "type", "what"], [[f"`{name}`", *found[name]] for name in sorted(found)])


def indexes(_proto):
    code = source("common/store_prepare.c")
    body = inside(code, re.search(r"indexes\[\] = \{", code).end() - 1, "{}")
    rows = []
    for m in re.finditer(r"\{(\.collection.*?)\}(?:,\n|\s*$)", body, re.S):
        row = options(split(m[1]))
        notes = ["unique"] if "unique" in row else []
        if "expires" in row:
            notes.append("expires" + (" after a day" if row.get("keep_s") == "DAY_S" else ""))
        rows.append([f"`{text_of(row['collection'])}`", ", ".join(f"`{key}`" for key in STRING.findall(row["keys"])), ", ".join(notes)])
    return table(["collection", "keys, ascending", ""], rows)


def events(_proto):
    found = re.findall(r'(?:note\(job, now, |return |event = )"([a-z-]+)"', source("proto/transition.c"))
    return ", ".join(f"`{name}`" for name in dict.fromkeys(found)) + ".\n"


TABLES = {"events": events, "errors": errors, "routes": routes, "kinds": kinds, "metrics": metrics, "indexes": indexes}


def render(proto, name):
    verb, _, doc = name.partition(" ")
    if verb in ("answer", "stored", "request"):
        return request(proto, doc) if verb == "request" else fields(proto, doc, verb == "stored")
    return TABLES[name](proto)


def names_of(page):
    return [m[2] for m in BLOCK.finditer(page)]


def differing(page):
    proto = Proto()
    return [m[2] for m in BLOCK.finditer(page) if m[3] != render(proto, m[2])]


def main():
    page = PAGE.read_text()
    if sys.argv[1:] == ["--write"]:
        proto = Proto()
        PAGE.write_text(BLOCK.sub(lambda m: m[1] + render(proto, m[2]) + m[4], page))
        return 0
    old = differing(page)
    print("\n".join(old) if old else "proto/README.md agrees with the sources")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
