"""Which of many forms a text may have: hundreds of functions put one key into a text of one kind."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.plan.keys.spelled import Form


class Fitting:
    """Forms by their patterns, of which each is tried once."""

    def __init__(
        self,
        forms: Iterable[Form] = (),
        pattern: Callable[[Form], re.Pattern[str]] = lambda form: form.regex,
    ) -> None:
        self.all = list(forms)
        self._numbers: defaultdict[re.Pattern[str], list[int]] = defaultdict(list)
        self._words: set[str] | None = None
        for number, form in enumerate(self.all):
            self._numbers[pattern(form)].append(number)

    def __bool__(self) -> bool:
        return bool(self.all)

    def of(self, text: str) -> list[Form]:
        """Those that a text has as a whole, in their order."""
        return [self.all[number] for number in sorted(self._fit(text))]

    def any(self, text: str) -> bool:
        """Whether a text has one of them."""
        return any(True for _ in self._fit(text))

    def told_in(self, text: str) -> bool:
        """Whether a text has a word of one of them in it, or they tell by marks alone: any other is none of them, with
        whatever marks it is shown."""
        if self._words is None:
            self._words = {_telling(form) for form in self.all}
        return any(word in text for word in self._words)

    def _fit(self, text: str) -> Iterator[int]:
        for regex, numbers in self._numbers.items():
            if regex.fullmatch(text):
                yield from numbers


def _telling(form: Form) -> str:
    """The longest word of its keys."""
    said = [piece.value for piece in form.pieces if isinstance(piece, Text)]
    return max((word for text in said for word in re.findall(r"\w+", text)), key=len, default="")
