"""Makes prompts: of an exact number of tokens, and such that no provider has seen their beginning before.

Providers keep what they have read by its beginning, so a prompt that differs in its first words hits no prefix cache. With
a shared prefix it is the other way round: all is the same but the last words, so that no cache of whole answers is hit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

MIN_TOKENS = 24
_NONCE_WORDS = 8
"""Of 150 words each: 2.6 * 10**17 beginnings."""

# Each is one token, at the start of a text and after a space, in all vocabularies that come with deepsel (a test counts).
_LIST = (
    "able about above accept action active actual add after again age ago air all allow almost alone along also "
    "always among amount and animal answer any apply area arm around art ask attack author away back bad bag "
    "ball bank bar base beat bed before begin best better big bill bit black blue board body book born both box "
    "boy break bring build but buy call can car card care case cat catch cause cell center chair change charge "
    "check child choice choose church city claim class clear close color come common cost could course court "
    "cover create cup cut dark data day dead deal deep degree design detail die doctor dog door down draw drive "
    "drop each early edge effect either else end energy enter even event ever every exist expect eye face fact "
    "factor fail fall family far fast father field figure fill film final find fine fire"
)
WORDS = tuple(_LIST.split())
_ASK = "write a long story that uses these words"


@dataclass(slots=True)
class Prompter:
    """Makes the prompts of a run."""

    rng: random.Random
    shares_prefix: bool = False
    _bodies: dict[int, str] = field(default_factory=dict)
    """One for each size: only the nonce has to differ."""

    def made(self, tokens: int) -> str:
        """Return a prompt of so many tokens; exact in the vocabularies that come with deepsel, near it in others."""
        body = self._bodies.get(tokens)
        if body is None:
            count = max(0, tokens - _NONCE_WORDS - len(_ASK.split()))
            body = self._bodies[tokens] = " ".join([*self.rng.choices(WORDS, k=count), _ASK])
        return self._marked(body)

    def own(self, text: str) -> str:
        """Return the user's text with a nonce before it, or behind it where the prefix is to be shared."""
        return self._marked(text)

    def _marked(self, text: str) -> str:
        nonce = " ".join(self.rng.choices(WORDS, k=_NONCE_WORDS))
        return f"{text} {nonce}" if self.shares_prefix else f"{nonce} {text}"
