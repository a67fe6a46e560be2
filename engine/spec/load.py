"""Texts of a workspace → its checked fleet, or everything that is wrong with it. Pure: the one entrance.

Layers, from the weakest: defaults in the schemas, `defaults:` of fleet.yaml, the template, the bot file. An overlay
lies over the file of its name, before a matrix spreads it and its template fills it in. Of a bot that is run by
itself, what is said beside the files lies over and under all of that (`engine.spec.said`). Called by `validate`, by
every plan, and by `botctl run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from engine.model.value import Value
from engine.spec.assemble import bot_spec, fleet_spec
from engine.spec.check import check
from engine.spec.diagnostics import Diagnostic, Findings, nearest
from engine.spec.document import MappingNode, Node, Place, ScalarNode, data_of, node_at, overlay
from engine.spec.documents import FLEET_FILE, Document, read_documents
from engine.spec.facts import FactsLookup
from engine.spec.masking import mask
from engine.spec.matrix import spread
from engine.spec.policy_rules import check_policy
from engine.spec.rollout_rules import check_order, check_rollout
from engine.spec.rules import (
    TEMPLATES,
    BotDraft,
    check_accounts,
    check_facts,
    check_fleet,
    check_parameters,
    check_strategy,
    check_together,
)
from engine.spec.said import COMMAND_LINE, ENVIRONMENT, Said
from engine.spec.templates import Template, expand, read_template
from engine.spec.types import BotSpec, FleetSpec

_MISNAMED = "bots/fleet.yml"
_BOTS = "bots/"


class LoadedBot(Value, frozen=True, kw_only=True):
    """One bot without errors of its own. `places` says where fields were written: `strategy.spread_bps`.

    `root` is its whole document, and `accounts` that of the accounts it uses, for whoever explains them.
    """

    spec: BotSpec
    file: str
    places: dict[str, Place]
    root: MappingNode
    accounts: MappingNode

    def place(self, path: str) -> Place:
        """Where a field stands; for one that is a default, the nearest thing above it that was written."""
        while path not in self.places and path:
            path = path.rpartition(".")[0]
        return self.places.get(path, Place(file=self.file, line=1, column=1))


class Loaded(Value, frozen=True, kw_only=True):
    """Everything the texts say. With an error among the diagnostics, nothing of it may be applied.

    `rules` says where each rule of the policy stands.
    """

    fleet: FleetSpec | None
    bots: dict[str, LoadedBot]
    diagnostics: tuple[Diagnostic, ...]
    rules: dict[str, Place] = {}

    @property
    def has_errors(self) -> bool:
        return any(found.is_error for found in self.diagnostics)


def load_fleet(
    files: Mapping[str, str],
    *,
    environment: Mapping[str, str],
    facts: FactsLookup,
    env: str | None = None,
    said: Said | None = None,
) -> Loaded:
    """The fleet that `files` (text by path from the workspace's root) declare. Raises nothing.

    `env` names the overlays to lay over them; None leaves the choice to fleet.yaml. `said` is what is said beside
    them of the bot that is run, which may be in none of them.
    """
    if said is None:
        return _Loading(files, environment, env).run(facts)
    return _Loading({**files, **said.texts}, environment, env, said).run(facts)


class _Loading:
    """One run over all files. Each file keeps its own findings until the end, so none hides another's."""

    def __init__(
        self, files: Mapping[str, str], environment: Mapping[str, str], env: str | None, said: Said | None = None
    ) -> None:
        self._files = files
        self._said = said
        self._findings = Findings(files)
        documents = read_documents(files, environment=environment, env=env, findings=self._findings)
        self._documents, self._env = documents.by_file, documents.env
        self._fleet_root = MappingNode(entries={}, place=Place(file=FLEET_FILE, line=1, column=1))
        self._fleet: FleetSpec | None = None
        self._templates: dict[str, tuple[Template | None, Findings]] = {}

    def run(self, facts: FactsLookup) -> Loaded:
        """Fleet first, because every bot leans on it; then templates, bots, and what only shows together."""
        self._load_fleet()
        self._load_templates()
        drafts = [
            draft
            for file, document in self._documents.items()
            if self._declares_bots(file)
            for draft in self._load_file(file, document)
        ]
        check_facts(drafts, self._fleet_root, facts, self._findings)
        check_together(drafts)
        check_order(drafts)
        if self._fleet is not None and self._fleet.rollout is not None:
            check_rollout(self._fleet_root, self._fleet.rollout, drafts, self._findings)
        for draft in drafts:
            self._findings.take(draft.findings, relate=draft.relate())
        bots = {draft.spec.name: self._loaded(draft, draft.spec) for draft in drafts if draft.spec is not None}
        written = self._fleet_root.mapping("policy").entries
        return Loaded(
            fleet=self._fleet,
            bots=bots,
            diagnostics=self._findings.sorted(),
            rules={name: entry.key_place for name, entry in written.items()},
        )

    def _declares_bots(self, file: str) -> bool:
        if self._said is not None and file == self._said.beside:
            return True
        return file.startswith(_BOTS) and file not in (FLEET_FILE, _MISNAMED)

    def _load_fleet(self) -> None:
        document = self._documents.get(FLEET_FILE)
        if _MISNAMED in self._files:
            place = Place(file=_MISNAMED, line=1, column=1)
            self._findings.error("misnamed", "the fleet's file is called fleet.yaml", place, hint="rename it")
        elif document is None:
            place = Place(file=FLEET_FILE, line=1, column=1)
            self._findings.error("no-fleet", f"there is no {FLEET_FILE}", place, hint="see `botctl init`")
        if document is None:
            return
        if document.root is not None:
            self._fleet_root = document.root
            if check(document.root, "fleet", document.findings) and not document.findings.has_errors:
                self._fleet = fleet_spec(data_of(document.root), self._env)
                check_fleet(document.root, self._fleet, document.findings)
                check_policy(document.root, self._fleet.policy, document.findings)
        self._findings.take(document.findings)

    def _load_templates(self) -> None:
        for file, document in self._documents.items():
            if not file.startswith(TEMPLATES):
                continue
            name, findings = PurePosixPath(file).stem, document.findings
            if name in self._templates:
                place = Place(file=file, line=1, column=1)
                findings.error("duplicate-name", f"another file is the template `{name}` already", place)
            template = None
            if document.root is not None and not findings.has_errors:
                template = read_template(document.root, findings)
            self._templates[name] = (template, findings)
            self._findings.take(findings)

    def _load_file(self, file: str, document: Document) -> Iterator[BotDraft]:
        """The bots of one file: one, or as many as its matrix makes; none of a file that cannot be read."""
        roots = spread(document.root, document.findings) if document.root is not None else ()
        self._findings.take(document.findings)
        for root in roots:
            findings = document.findings if len(roots) == 1 else document.findings.beside()
            yield self._load_bot(BotDraft(file=file, root=root, findings=findings))

    def _load_bot(self, draft: BotDraft) -> BotDraft:
        findings = draft.findings
        draft.is_run = self._is_run(draft)
        if draft.is_run:
            draft.root = overlay(self._layer(COMMAND_LINE), draft.root)
        if not self._expand(draft):
            return draft
        if draft.is_run:
            draft.root = overlay(
                draft.root, overlay(self._fleet_root.mapping("defaults"), self._layer(ENVIRONMENT))
            )
        if not check(draft.root, "bot", findings) or findings.has_errors:
            return draft
        draft.root = overlay(draft.root, self._fleet_root.mapping("defaults"))
        if self._fleet_root.entries:
            check_accounts(draft, self._fleet_root)
        check_strategy(draft)
        if self._fleet is not None and not findings.has_errors:
            draft.spec = bot_spec(data_of(draft.root), self._fleet)
            check_parameters(draft, draft.spec)
        return draft

    def _is_run(self, draft: BotDraft) -> bool:
        if self._said is None:
            return False
        name = node_at(draft.root, ("metadata", "name"))
        is_named = isinstance(name, ScalarNode) and name.value == self._said.bot
        return is_named if self._said.bot else draft.file == self._said.beside

    def _layer(self, name: str) -> MappingNode:
        """What was said beside the files; nothing where nothing was, or it cannot be read, which is reported."""
        document = self._documents.get(name)
        if document is None:
            return MappingNode(entries={}, place=Place(file=name, line=1, column=1))
        self._findings.take(document.findings)
        return document.root or MappingNode(entries={}, place=Place(file=name, line=1, column=1))

    def _expand(self, draft: BotDraft) -> bool:
        """Lay the bot over its template, if it names one; False when that failed and is reported."""
        named = draft.root.get("template")
        if named is None:
            return _refuse_stray_parameters(draft)
        draft.template_place = named.place
        name = named.value if isinstance(named, ScalarNode) else None
        if not isinstance(name, str) or name not in self._templates:
            hint = nearest(str(name), self._templates) or f"there is no file in {TEMPLATES}"
            draft.findings.error(
                "unknown-template", f"there is no template `{mask(str(name))}`", named.place, hint=hint
            )
            return False
        template, wrong = self._templates[name]
        draft.findings.take(wrong)
        if template is None or draft.findings.has_errors:
            return False
        draft.root = expand(draft.root, template, draft.findings)
        return not draft.findings.has_errors

    def _loaded(self, draft: BotDraft, spec: BotSpec) -> LoadedBot:
        written = self._fleet_root.mapping("accounts")
        used = {name: written.entries[name] for name in spec.accounts}
        accounts = MappingNode(entries=used, place=written.place)
        places = {
            **_places_below(accounts, "accounts."),
            **_places_below(self._fleet_root.mapping("budgets"), "budgets."),
            **_places_below(draft.root, ""),
        }
        return LoadedBot(spec=spec, file=draft.file, places=places, root=draft.root, accounts=accounts)


def _refuse_stray_parameters(draft: BotDraft) -> bool:
    entry = draft.root.entries.get("parameters")
    if entry is None:
        return True
    draft.findings.error("no-template", "`parameters` need a `template`", entry.key_place)
    return False


def _places_below(node: Node, prefix: str) -> dict[str, Place]:
    """Where each field stands, by its dotted path: a value's own place, a mapping's key."""
    places: dict[str, Place] = {}
    if isinstance(node, MappingNode):
        for key, entry in node.entries.items():
            value = entry.value
            places[f"{prefix}{key}"] = value.origin if isinstance(value, ScalarNode) else entry.key_place
            places |= _places_below(value, f"{prefix}{key}.")
    return places
