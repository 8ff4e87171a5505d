"""What stands in Redis, by name, and the steps that have to be whole.

    visawatch:run               the crawl under way: its number, versions, limits, whether to stop
    visawatch:runs, :tokens     counters
    visawatch:writer            a lease: who lays out work
    visawatch:worker:TOKEN      a lease: this worker lives, and so do its hosts' leases
    visawatch:workers           who lives, to share work fairly and to be listed, with versions
    visawatch:refused           who could not work for a writer of another version, of late
    visawatch:host:NAME         who asks this host, how slowly, and when it may be asked next
    visawatch:work:RUN          a stream: units of work, deleted when the writer has stored them
    visawatch:results:RUN       a stream: pages, deleted when the writer has stored them
    visawatch:bytes:RUN         how many bytes of pages are in it
    visawatch:at-work:RUN       the tokens of the workers that have begun
    visawatch:seen:RUN:HOST     the pages of a unit that need not be fetched again

A worker's token is new each time it begins, and larger than those before: a fencing token, by
which a worker whose lease has run out is told from one that lives.
"""

from __future__ import annotations

PREFIX = "visawatch:"
RUN, RUNS, TOKENS = PREFIX + "run", PREFIX + "runs", PREFIX + "tokens"
WRITER, WORKERS, REFUSED = PREFIX + "writer", PREFIX + "workers", PREFIX + "refused"
WORKER, HOST = PREFIX + "worker:", PREFIX + "host:"
GROUP = "workers"  # the consumer group of the work

MOST_RESULTS = 1_000  # pages that wait for the writer, before workers wait for it
MOST_BYTES = 64_000_000  # of pages that wait
HOST_KEPT_SECONDS = 86_400  # a host's pace, after it was asked last
SEEN_KEPT_SECONDS = 86_400
REFUSED_KEPT_SECONDS = 3_600


def work(run: str) -> str:
    """The stream of units."""
    return f"{PREFIX}work:{run}"


def results(run: str) -> str:
    """The stream of pages."""
    return f"{PREFIX}results:{run}"


def size(run: str) -> str:
    """The counter of bytes."""
    return f"{PREFIX}bytes:{run}"


def at_work(run: str) -> str:
    """The set of workers."""
    return f"{PREFIX}at-work:{run}"


def streams(run: str) -> list[str]:
    """All that belongs to a run."""
    return [work(run), results(run), size(run), at_work(run)]


def seen(run: str, host: str) -> str:
    """The set of pages."""
    return f"{PREFIX}seen:{run}:{host}"


def member(name: str, versions: str) -> str:
    """A worker, as it stands in the list of those that live."""
    return f"{name} {versions}"


def named(member: bytes) -> tuple[str, str]:
    """The name and the versions of a worker."""
    name, _, versions = member.decode().partition(" ")
    return name, versions


_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS host, me; ARGV token, prefix of workers' keys, delay in ms, ms to keep it. Returns the ms
# until the host may be asked, -1 if another has it, -2 if this worker's own lease has run out.
# One that died may have asked until a moment ago: its host rests for a whole delay.
BORROW = (
    _NOW
    + """
if redis.call('EXISTS', KEYS[2]) == 0 then return -2 end
local host = redis.call('HMGET', KEYS[1], 'owner', 'free_at', 'delay')
local free_at = tonumber(host[2] or '0')
local delay = math.max(tonumber(host[3] or '0'), tonumber(ARGV[3]))
if host[1] and host[1] ~= ARGV[1] then
    if redis.call('EXISTS', ARGV[2] .. host[1]) == 1 then return -1 end
    free_at = math.max(free_at, now + delay)
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'free_at', free_at, 'delay', ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[4]), free_at - now))
return math.max(0, free_at - now)
"""
)

# KEYS host; ARGV token, ms until it may be asked, ms to keep it; delay in ms, or '' to leave it.
PACE = (
    _NOW
    + """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'free_at', now + tonumber(ARGV[2]))
if ARGV[4] == '' then
    redis.call('HDEL', KEYS[1], 'owner', 'delay')
else
    redis.call('HSET', KEYS[1], 'delay', ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), tonumber(ARGV[2])))
return 1
"""
)

# KEYS run, results, bytes, seen; ARGV run, kind, unit, head, body, URL that need not be fetched
# again or '', most results, most bytes, seconds to keep what was seen. Returns 1, 0 if there is
# no room yet, -1 if the run is over.
DELIVER = """
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local size = #ARGV[4] + #ARGV[5]
local waiting = redis.call('XLEN', KEYS[2])
if waiting == 0 then redis.call('DEL', KEYS[3]) end
local bytes = tonumber(redis.call('GET', KEYS[3]) or '0')
if waiting >= tonumber(ARGV[7]) then return 0 end
if waiting > 0 and bytes + size > tonumber(ARGV[8]) then return 0 end
redis.call('XADD', KEYS[2], '*', 'kind', ARGV[2], 'unit', ARGV[3], 'head', ARGV[4],
    'body', ARGV[5], 'size', size)
redis.call('INCRBY', KEYS[3], size)
if ARGV[6] ~= '' then
    redis.call('SADD', KEYS[4], ARGV[6])
    redis.call('EXPIRE', KEYS[4], ARGV[9])
end
return 1
"""

# KEYS results, bytes; ARGV pairs of an id and its size. What was stored is deleted.
STORED = """
for i = 1, #ARGV, 2 do
    if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
        redis.call('DECRBY', KEYS[2], ARGV[i + 1])
    end
end
return 1
"""

# KEYS writer; ARGV token, name, ms. Returns 1, or the name of the one who holds the lease. A
# writer on the same database has that database's own lease, so the one before it has died.
WRITE = """
local held = redis.call('HMGET', KEYS[1], 'token', 'name')
if held[1] and held[1] ~= ARGV[1] and held[2] ~= ARGV[2] then return held[2] end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'name', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

# KEYS writer, run; ARGV token, run, ms. Returns 1 while this writer is the one.
STILL_WRITE = """
if redis.call('HGET', KEYS[2], 'id') ~= ARGV[2] then return 0 end
local held = redis.call('HGET', KEYS[1], 'token')
if held and held ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'name', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
