"""The ledger of one job on a fleet's server: who has which line, what it may cost, how it ended. Knows lines by number alone.

Keys begin with `deepsel:{JOB}:`. `meta` says what the job is and how far lines were dealt; `leases` has until when a line is
somebody's, `owners` whose it is, `holds` what was reserved for it; `answer:N` is how line N ended, `counts` their sums,
`failed` those without an answer. Each verb is one script, so that a line's lease, its money and its end are never at odds; all
keys expire. No request is kept here, no key of a provider.

A line goes: taken (leased) -> begun (its cost reserved; only now it may be sent) -> done (its end is kept, then it counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import methodcaller

from deepsel.fleet.amounts import AMOUNTS
from deepsel.fleet.server import NOW, FleetServer, FleetUnavailable
from deepsel.records import NamedTuple

FORM = 1
_GRACE_S = 5.0
"""After the server was lost nobody takes lines for so long, so that each worker can tell again what it has done."""
_CHUNK = 64

_JOIN = NOW + """
local known = redis.call('hmget', KEYS[1], 'job', 'form', 'run')
local opens = now + ARGV[6]
if not known[1] then
  if ARGV[5] == '0' then opens = 0 end
  redis.call('hset', KEYS[1], 'job', ARGV[1], 'form', ARGV[2], 'lines', ARGV[3], 'run', ARGV[4], 'dealt', 0, 'opens', opens)
elseif known[1] ~= ARGV[1] then return 'other'
elseif known[2] ~= ARGV[2] then return 'form'
elseif known[3] ~= ARGV[4] then redis.call('hset', KEYS[1], 'run', ARGV[4], 'opens', opens) end
for _, key in ipairs(KEYS) do redis.call('pexpire', key, ARGV[7]) end
return redis.call('hget', KEYS[1], 'written') or ''
"""
_TAKE = NOW + """
local known = redis.call('hmget', KEYS[1], 'lines', 'dealt', 'opens')
if not known[1] then return {'gone'} end
if now < tonumber(known[3]) then return {'wait'} end
local lines, dealt, most = tonumber(known[1]), tonumber(known[2]), tonumber(ARGV[2])
local found = {'lines'}
local function give(line)
  redis.call('zadd', KEYS[2], now + ARGV[3], line)
  redis.call('hset', KEYS[3], line, ARGV[1])
  found[#found + 1] = line
end
for _, line in ipairs(redis.call('zrangebyscore', KEYS[2], '-inf', now, 'limit', 0, most)) do
  if redis.call('exists', KEYS[4] .. line) == 1 then redis.call('zrem', KEYS[2], line) else give(line) end
end
local looked = 0
while #found <= most and dealt < lines and looked < 10000 do
  dealt, looked = dealt + 1, looked + 1
  local line = string.format('%d', dealt)
  if redis.call('exists', KEYS[4] .. line) == 0 and not redis.call('zscore', KEYS[2], line) then give(line) end
end
redis.call('hset', KEYS[1], 'dealt', dealt)
if #found > 1 then
  for number = 1, 3 do redis.call('pexpire', KEYS[number], ARGV[4]) end
  return found
end
if dealt >= lines and redis.call('zcard', KEYS[2]) == 0 then return {'over'} end
return {'wait'}
"""
_BEGIN = NOW + AMOUNTS + """
if redis.call('exists', KEYS[1]) == 0 then return 'gone' end
local line, owner = ARGV[1], ARGV[2]
if redis.call('hget', KEYS[3], line) ~= owner then return 'lost' end
local held = redis.call('hget', KEYS[4], line)
local size = #owner + 1
if held and string.sub(held, 1, size) == owner .. ' ' then return 'go' end
local high, low = halves(redis.call('hget', KEYS[5], 'reserved_picousd') or '0')
local function fits(amount)
  if ARGV[5] == '' then return true end
  local new_high, new_low = plus(high, low, amount)
  return not is_over(new_high, new_low, ARGV[5])
end
local amount = ARGV[4]
if not fits(amount) then
  for _, other in ipairs(redis.call('hkeys', KEYS[4])) do
    if other ~= line and tonumber(redis.call('zscore', KEYS[2], other) or '0') > now then return 'later' end
  end
  amount = ARGV[3]
  if not fits(amount) then return 'cap' end
end
if held then
  redis.call('hincrby', KEYS[5], 'lost', 1)
  redis.call('hincrby', KEYS[5], 'lost_picousd', string.match(held, ' (%d+)$'))
end
redis.call('hset', KEYS[4], line, owner .. ' ' .. amount)
redis.call('hincrby', KEYS[5], 'reserved_picousd', amount)
redis.call('zadd', KEYS[2], now + ARGV[6], line)
redis.call('pexpire', KEYS[4], ARGV[7])
redis.call('pexpire', KEYS[5], ARGV[7])
return 'go'
"""
_DONE = """
if redis.call('exists', KEYS[1]) == 0 then return 'gone' end
local line, owner, head = ARGV[1], ARGV[2], ARGV[2] .. ' '
local kept = redis.call('getrange', KEYS[7], 0, #head - 1)
if kept == head then return 'kept' end
local held = redis.call('hget', KEYS[4], line)
local amount = ARGV[5]
if held and string.sub(held, 1, #head) == head then
  local own = string.sub(held, #head + 1)
  redis.call('hdel', KEYS[4], line)
  redis.call('hincrby', KEYS[5], 'reserved_picousd', '-' .. own)
  if amount == '' then amount = own end
end
if amount ~= '' then redis.call('hincrby', KEYS[5], 'reserved_picousd', amount) end
if redis.call('hget', KEYS[3], line) == owner then
  redis.call('zrem', KEYS[2], line)
  redis.call('hdel', KEYS[3], line)
end
if kept ~= '' then
  redis.call('hincrby', KEYS[5], 'twice', 1)
  redis.call('hincrby', KEYS[5], 'calls', ARGV[6])
  if ARGV[5] ~= '' then redis.call('hincrby', KEYS[5], 'cost_picousd', ARGV[5]) end
  return 'twice'
end
redis.call('set', KEYS[7], head .. ARGV[3], 'px', ARGV[4])
redis.call('hdel', KEYS[3], line)
redis.call('zrem', KEYS[2], line)
if ARGV[7] == '1' then
  redis.call('sadd', KEYS[6], line)
  redis.call('pexpire', KEYS[6], ARGV[4])
end
for number = 8, #ARGV, 2 do redis.call('hincrby', KEYS[5], ARGV[number], ARGV[number + 1]) end
redis.call('pexpire', KEYS[5], ARGV[4])
return 'kept'
"""
_RENEW = NOW + """
for number = 3, #ARGV do
  if redis.call('hget', KEYS[2], ARGV[number]) == ARGV[1] then redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[number]) end
end
"""
_LEAVE = """
local line, head = ARGV[1], ARGV[2] .. ' '
if redis.call('hget', KEYS[2], line) ~= ARGV[2] then return end
local held = redis.call('hget', KEYS[3], line)
if held and string.sub(held, 1, #head) == head then
  redis.call('hincrby', KEYS[4], 'reserved_picousd', '-' .. string.sub(held, #head + 1))
  redis.call('hdel', KEYS[3], line)
end
redis.call('hdel', KEYS[2], line)
redis.call('zadd', KEYS[1], 0, line)
"""
_AGAIN = """
local line = ARGV[1]
if redis.call('srem', KEYS[3], line) == 0 then return 0 end
redis.call('del', KEYS[4])
redis.call('zadd', KEYS[2], 0, line)
redis.call('hdel', KEYS[1], 'written', 'writer', 'writes_until')
redis.call('pexpire', KEYS[2], ARGV[2])
for number = 3, #ARGV do redis.call('hincrby', KEYS[5], ARGV[number], -1) end
return 1
"""
_WRITE = NOW + """
local known = redis.call('hmget', KEYS[1], 'written', 'writer', 'writes_until')
if known[1] then return known[1] end
if known[2] and known[2] ~= ARGV[1] and tonumber(known[3]) > now then return 'busy' end
redis.call('hset', KEYS[1], 'writer', ARGV[1], 'writes_until', now + ARGV[2])
return 'write'
"""


class Dealt(NamedTuple):
    """The answer to a worker who asks for lines."""

    kind: str
    """`lines`; `wait`: others have the rest; `over`: every line is done; `gone`: the server has lost the job."""
    lines: tuple[int, ...] = ()


class Ended(NamedTuple):
    """How a line ended, as the ledger keeps it."""

    line: int
    entry: bytes
    """What is handed back as it came."""
    amount: int | None
    """Its bill in 1e-12 USD; None: unknown, so that it counts with what was held."""
    calls: int
    is_failed: bool
    counts: tuple[tuple[str, int], ...]
    """What to add to the job's sums."""


class OtherJob(Exception):
    """The name is another job's."""


class LineLedger:
    """One worker's view of a job's ledger. Every verb raises FleetUnavailable; safe to use from many threads."""

    def __init__(self, server: FleetServer, name: str, owner: str, *, lease_s: float, keep_s: float) -> None:
        """Name the job, and the worker by what nobody else is called."""
        self._server, self.owner = server, owner
        self._head = f"deepsel:{{{name}}}:"
        self._lease_ms, self._keep_ms = int(lease_s * 1000), int(keep_s * 1000)
        self.lease_s = lease_s
        self._run = ""

    def _keys(self, *names: str) -> list[str]:
        return [self._head + name for name in names]

    def join(self, job: str, lines: int, *, is_back: bool = False) -> str:
        """Make the job where there is none of that name; returns where its answers were written, empty where they are not.

        `is_back`: this worker was at it already, so a job that is not there was lost. Raises OtherJob.
        """
        self._run = self._server.run_id()
        keys = self._keys("meta", "leases", "owners", "holds", "counts", "failed")
        found = self._server.script(_JOIN, keys, job, FORM, lines, self._run, int(is_back), int(_GRACE_S * 1000), self._keep_ms)
        if found in (b"other", b"form"):
            raise OtherJob("of other requests, or asked otherwise" if found == b"other" else "of another version of deepsel")
        return bytes(found).decode("utf-8", "replace")

    def has_restarted(self) -> bool:
        """Tell whether the server was started anew since this worker joined."""
        return self._server.run_id() != self._run

    def take(self, most: int) -> Dealt:
        """Lease some lines: those whose worker is dead first."""
        keys = self._keys("meta", "leases", "owners", "answer:")
        kind, *lines = self._server.script(_TAKE, keys, self.owner, most, self._lease_ms, self._keep_ms)
        return Dealt(bytes(kind).decode(), tuple(int(line) for line in lines))

    def begin(self, line: int, expected: int, worst: int, cap: int | None) -> str:
        """Reserve what a leased line may cost, in 1e-12 USD: `go`, `later` (others hold the rest), `cap`, `lost` or `gone`."""
        keys = self._keys("meta", "leases", "owners", "holds", "counts")
        bound = "" if cap is None else cap
        found = self._server.script(
            _BEGIN, keys, line, self.owner, expected, max(worst, expected), bound, self._lease_ms, self._keep_ms
        )
        return bytes(found).decode()

    def done(self, ended: Ended, *, owner: str = "") -> str:
        """Keep how a line ended, once: `kept`, `twice` (another worker's end stands already; the money counts) or `gone`."""
        keys = self._keys("meta", "leases", "owners", "holds", "counts", "failed", f"answer:{ended.line}")
        amount = "" if ended.amount is None else ended.amount
        counts = [part for pair in ended.counts for part in pair]
        arguments = (ended.line, owner or self.owner, ended.entry, self._keep_ms, amount, ended.calls, int(ended.is_failed), *counts)
        return bytes(self._server.script(_DONE, keys, *arguments)).decode()

    def renew(self, lines: Iterable[int]) -> None:
        """Keep the lines that are still this worker's."""
        held = tuple(lines)
        if held:
            self._server.script(_RENEW, self._keys("leases", "owners"), self.owner, self._lease_ms, *held)

    def leave(self, line: int) -> None:
        """Give a line back that was not sent."""
        self._server.script(_LEAVE, self._keys("leases", "owners", "holds", "counts"), line, self.owner)

    def failed(self) -> list[int]:
        """List the lines that have no answer."""
        return sorted(int(line) for line in self._server.call(lambda client: client.smembers(f"{self._head}failed")))

    def ask_again(self, line: int, less: Sequence[str]) -> bool:
        """Have a failed line asked anew, one less in each of the sums named; False where somebody else has done so."""
        keys = self._keys("meta", "leases", "failed", f"answer:{line}", "counts")
        return bool(self._server.script(_AGAIN, keys, line, self._keep_ms, *less))

    def counts(self) -> dict[str, int]:
        """Return the job's sums."""
        found = self._server.call(lambda client: client.hgetall(f"{self._head}counts"))
        return {bytes(name).decode(): int(value) for name, value in found.items()}

    def entries(self, lines: Iterable[int]) -> Iterator[bytes]:
        """Yield how lines ended, in their order; raises FleetUnavailable where one is not there any more."""
        wanted = list(lines)
        for at in range(0, len(wanted), _CHUNK):
            names = [f"{self._head}answer:{line}" for line in wanted[at : at + _CHUNK]]
            values = self._server.call(methodcaller("mget", names))
            for line, value in zip(wanted[at : at + _CHUNK], values, strict=True):
                if value is None:
                    raise FleetUnavailable(f"the answer of line {line} is no longer on the server")
                yield bytes(value).partition(b" ")[2]

    def may_write(self, for_s: float) -> str:
        """Ask to write the answers out: `write`, `busy` (another one does), or where they were written."""
        return bytes(self._server.script(_WRITE, self._keys("meta"), self.owner, int(for_s * 1000))).decode("utf-8", "replace")

    def written(self, place: str) -> None:
        """Tell where the answers were written."""
        self._server.call(lambda client: client.hset(f"{self._head}meta", "written", place))
