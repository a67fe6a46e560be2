"""All files of a workspace as trees: parsed, the chosen environment laid over them, variables replaced.

Only `engine.spec.load` calls this. Each file keeps its own findings, so that one that cannot be read hides
nothing of the others; what is wrong with an overlay is found with the file it lies over.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from engine.spec import overlays
from engine.spec.diagnostics import Findings
from engine.spec.document import MappingNode, Place, ScalarNode
from engine.spec.types import BASE
from engine.spec.variables import Substitution, secret_names
from engine.spec.yaml_loader import load_yaml

FLEET_FILE = "bots/fleet.yaml"


class Document(Value, frozen=True, kw_only=True):
    """One file, parsed as far as possible, and what was found in it."""

    root: MappingNode | None
    findings: Findings


class Documents(Value, frozen=True, kw_only=True):
    """The files of bots/ and templates/ in the order of their names. `env` is the one whose overlays they wear."""

    env: str | None
    by_file: dict[str, Document]


def read_documents(
    files: Mapping[str, str], *, environment: Mapping[str, str], env: str | None, findings: Findings
) -> Documents:
    """Every file that counts in `env`; None is the choice of fleet.yaml. Complaints of no file go to `findings`."""
    base = {
        file: _parsed(file, files[file], findings.beside()) for file in sorted(files) if overlays.is_of(file, None)
    }
    chosen = _chosen(env, base.get(FLEET_FILE), overlays.names_of(files), findings)
    over = {
        file: _parsed(file, files[file], findings.beside())
        for file in sorted(files)
        if file not in base and overlays.is_of(file, chosen)
    }
    replaced = _substituted({**base, **over}, environment)
    for file in over:
        _lay_over(replaced, file, findings)
    return Documents(env=chosen, by_file={file: replaced[file] for file in base})


def _parsed(file: str, text: str, findings: Findings) -> Document:
    return Document(root=load_yaml(file, text, findings), findings=findings)


def _chosen(env: str | None, fleet: Document | None, known: frozenset[str], findings: Findings) -> str | None:
    """The environment that was said, else the fleet's own; None for the files as they are."""
    written = fleet.root.get("env") if fleet and fleet.root else None
    place = Place(file=f"{overlays.FOLDER}{env}", line=1, column=1)
    if env is None and isinstance(written, ScalarNode):
        env, place = written.text, written.place
    chosen = None if env == BASE else env
    overlays.check_choice(chosen, known, place, findings)
    return chosen


def _substituted(documents: dict[str, Document], environment: Mapping[str, str]) -> dict[str, Document]:
    roots = [document.root for document in documents.values() if document.root is not None]
    secrets = frozenset[str]().union(*map(secret_names, roots))
    substitution = Substitution(environment, secrets)
    return {
        file: Document(root=substitution.apply(document.root, document.findings), findings=document.findings)
        if document.root is not None
        else document
        for file, document in documents.items()
    }


def _lay_over(documents: dict[str, Document], file: str, findings: Findings) -> None:
    """Replace one file by itself under its overlay, and hand it the overlay's findings."""
    upper, target = documents[file], overlays.target_of(file)
    if target not in documents:
        overlays.check_target(file, documents, upper.findings)
        findings.take(upper.findings)
        return
    lower = documents[target]
    root = lower.root
    if root is not None and upper.root is not None:
        root = overlays.patched(root, upper.root, upper.findings)
    lower.findings.take(upper.findings)
    documents[target] = Document(root=root, findings=lower.findings)
