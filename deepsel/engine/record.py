"""What has happened to one request so far: its attempts, spend, warnings, best text; builds the answer record and the final error."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from deepsel import catalog
from deepsel.cache import CachedAnswer
from deepsel.cache.key import LONGEST_TEXT, canonical_json
from deepsel.engine.attempt import Draft, Settlement, billed_usd, reached_limit, settle, settle_failed
from deepsel.engine.encoded import Encoded
from deepsel.engine.prepare import Prepared
from deepsel.engine.spending import UNREADABLE
from deepsel.errors import (
    AttemptFailed,
    ConfigError,
    DeepselError,
    ErrorClass,
    IncompleteError,
    OverBudgetError,
    RefusedError,
    StoppedByUser,
    UnavailableError,
)
from deepsel.secret import KnownSecrets
from deepsel.values import Answer, Attempt, CacheUse, Finish, Notice, Request, Text, Usage


@dataclass(slots=True)
class Record:
    """The growing record of one request."""

    prepared: Prepared
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[AttemptFailed] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    is_cancelled: bool = False
    """Whether the user ended it."""
    draft: Draft | None = None
    """The call under way, or the last one."""
    partial: Draft | None = None
    """The longest text of a failed call."""
    final: Draft | None = None
    """The whole answer."""
    settlement: Settlement | None = None
    """Of `final`, else of `partial`."""
    held_back: str = ""
    """Which providers asked to be left alone, and for how long, before anybody was asked."""
    spent_usd: Decimal | None = Decimal(0)
    """Over all attempts; None once one of them cannot be priced."""
    simulated_usd: Decimal = Decimal(0)
    """What attempts would have cost that asked no model."""
    has_billed: bool = False
    """Whether a model was asked."""

    def close(
        self, draft: Draft, failure: AttemptFailed | None, *, wait_s: float, now_s: float, is_cancelled: bool = False
    ) -> Attempt:
        """Record how a call ended and what it cost; `is_cancelled`: the user ended it, and `failure` only says that it is cut."""
        count = self.prepared.counts[draft.model.name]
        settled = settle(draft, count) if failure is None else settle_failed(draft, failure, count)
        cost_usd = settled.cost_usd
        if failure is None:
            self.final, self.settlement = draft, settled
            for doubt in draft.doubts:
                self.warn("two_readings", doubt)
        else:
            if is_cancelled:
                self.is_cancelled = True
            else:
                self.failures.append(failure)
            is_blank = failure.error_class is ErrorClass.EMPTY
            if draft.text and not is_blank and (self.partial is None or len(draft.text) > len(self.partial.text)):
                self.partial, self.settlement = draft, settled
        if draft.provider.is_simulated:
            self.simulated_usd += cost_usd or 0
        else:
            self.has_billed = True
            self.spent_usd = None if self.spent_usd is None or cost_usd is None else self.spent_usd + cost_usd
        self._warn_of_price(draft, settled if failure is None or draft.text else None)
        attempt = Attempt(
            provider=draft.provider.name,
            model=draft.model.name,
            outcome="ok" if failure is None else "cancelled" if is_cancelled else "failed",
            error_class=failure.error_class if failure and not is_cancelled else None,
            http_status=failure.http_status if failure else 200,
            message=_told(failure) if failure else "",
            wait_s=wait_s,
            ttft_s=draft.ttft_s,
            first_sign_s=draft.ttft_s if draft.thought_s is None else draft.thought_s,
            is_loading=failure is not None and failure.is_loading,
            total_s=now_s - draft.started_s,
            usage=settled.usage,
            cost_usd=cost_usd,
            gateway=draft.gateway,
        )
        self.attempts.append(attempt)
        return attempt

    def _warn_of_price(self, draft: Draft, settled: Settlement | None) -> None:
        """Say what is odd about usage, why a cost is not known, or whose price stands in for that of a model the catalog does not know."""
        for notice in settled.notices if settled is not None else ():
            self.warn(*notice)
        rule = settled.bill.rule if settled is not None else None
        if settled is not None and settled.cost_usd is None and rule is not None and rule.output is not None:
            self.warn("cost_unknown", f"the cost of {draft.model.name} is unknown: {settled.bill.reason}")
        answered, model = draft.answered_model, draft.model
        if answered and model.provider in draft.catalog.providers and not draft.catalog.is_known_at(model, answered):
            self.warn("other_model", f"{answered} answered for {model.name}; it is priced as {model.name}")

    def warn(self, code: str, message: str) -> None:
        """Tell the user something once."""
        notice = Notice(code, message)
        if notice not in self.notices:
            self.notices.append(notice)

    def skip(self, provider: str, model: str, message: str) -> None:
        """Record a candidate that was passed over while the request ran."""
        self.attempts.append(Attempt(provider, model, "skipped", message=message, cost_usd=Decimal(0)))

    def failure(self) -> DeepselError | None:
        """Say why there is no whole answer; None where there is one."""
        if self.final is not None:
            return None
        if self.is_cancelled:
            return StoppedByUser("ended by the user before the answer was whole")
        if not self.failures:
            skipped = [attempt.message for attempt in self.attempts]
            if skipped:
                is_unreadable = skipped[0].endswith(UNREADABLE)
                hint = "mend what the warning names" if is_unreadable else "raise the limit it names, or lower `--max-tokens`"
                return OverBudgetError(skipped[0], hint)
            why = f": {self.held_back}" if self.held_back else ""
            return UnavailableError(f"no provider was free to be asked within the time limit{why}", "raise `--timeout`")
        last = self.failures[-1]
        if all(one.error_class is ErrorClass.AUTH and one.http_status is None for one in self.failures):
            return ConfigError(last.message, last.hint)  # no key could be had, nothing was sent
        hint = last.hint or catalog.what_to_do(last.error_class, last.message, lang=self.prepared.language)
        if self.partial is not None:
            return IncompleteError(f"the answer is not whole: {last.message}", hint)
        if last.error_class is ErrorClass.TRUNCATED:
            return IncompleteError(last.message, hint)
        if all(failure.error_class.is_refusal for failure in self.failures):
            return RefusedError(self._summary(), hint)
        unavailable = UnavailableError(self._summary(), hint)
        unavailable.retry_after_s = min((one.retry_after_s for one in self.failures if one.retry_after_s), default=None)
        return unavailable

    def _summary(self) -> str:
        """Name every failed call and its reason in one line."""
        failed = [attempt for attempt in self.attempts if attempt.outcome == "failed"]
        told = [f"{attempt.provider}/{attempt.model}: {attempt.message}" for attempt in failed]
        if len(told) == 1:
            return told[0]
        return f"no answer after {len(told)} attempts: " + "; ".join(dict.fromkeys(told))

    def answer(self, *, total_s: float, cache: CacheUse) -> Answer:
        """Build the record of the request as it stands."""
        draft = self.final or self.partial or self.draft
        prepared = self.prepared
        name = draft.model.name if draft else prepared.look_up[0]
        settled = self.settlement
        return Answer(
            text=draft.text + "".join(draft.parts) if draft else "",
            reasoning=draft.reasoning if draft else "",
            model=name,
            answered_model=draft.answered_model if draft else None,
            provider=prepared.candidates[name].provider.name if draft is None else draft.provider.name,
            profile=prepared.profile.name,
            task=prepared.task,
            difficulty=prepared.difficulty,
            finish=self._finish(draft),
            usage=settled.usage if settled else (draft.usage if draft and draft.usage else Usage()),
            cost_usd=self.spent_usd if self.has_billed else self.simulated_usd,
            price_rule=settled.bill.rule if settled else None,
            ttft_s=draft.ttft_s if draft else None,
            total_s=total_s,
            cache=cache,
            attempts=tuple(self.attempts),
            warnings=tuple(self.notices),
            tool_calls=self.final.tool_calls if self.final else (),
        )

    def _finish(self, draft: Draft | None) -> Finish:
        """Say how the answer ended, never better than it did."""
        if self.final is not None:
            return self.final.finish or Finish.INCOMPLETE
        if draft is not None and reached_limit(draft):
            return Finish.LENGTH
        if draft is not None and draft.finish is Finish.FILTERED:
            return Finish.FILTERED
        return Finish.INCOMPLETE


def to_keep(draft: Draft, settlement: Settlement, encoded: Encoded, prepared: Prepared) -> CachedAnswer:
    """Make the entry of a whole answer."""
    rule = settlement.bill.rule
    return CachedAnswer(
        text=draft.text,
        reasoning=draft.reasoning,
        finish=draft.finish or Finish.INCOMPLETE,
        model=draft.model.name,
        provider=draft.provider.name,
        answered_model=draft.answered_model,
        usage=settlement.usage,
        cost_usd=billed_usd(draft.provider, settlement.cost_usd),  # which a hit saves
        document=encoded.document,
        price_source=rule.source if rule else "",
        price_as_of=rule.checked if rule else None,
        price_rule=rule.label if rule else "",
        task=prepared.task,
        question=question_of(prepared.request),
    )


def holds_a_secret(draft: Draft, encoded: Encoded, secrets: KnownSecrets) -> bool:
    """Tell whether what would be stored holds a secret of this process."""
    texts = (draft.text, draft.reasoning, canonical_json(encoded.document))
    return any(map(secrets.are_in, texts))


def question_of(request: Request) -> str:
    """Return the words of the last user message that has any on one line, cut where nobody looks for it any more."""
    worded = (turn for turn in reversed(request.messages) if any(isinstance(part, Text) for part in turn.parts))
    asked = next((turn.text for turn in worded if turn.role == "user"), "")
    return " ".join(asked[:LONGEST_TEXT].split())


def _told(failure: AttemptFailed) -> str:
    """Return what went wrong, with the wait the provider asked for."""
    wait_s = failure.retry_after_s
    if not wait_s or wait_s < 1:
        return failure.message
    wait = f"{wait_s:.0f} s" if wait_s < 120 else f"{wait_s / 60:.0f} min" if wait_s < 7200 else f"{wait_s / 3600:.0f} h"
    return f"{failure.message} (asks to wait {wait})"
