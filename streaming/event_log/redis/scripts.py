"""The Lua scripts of the event log; Redis executes each one atomically.

Each script works on the keys of one stream, which share a hash tag and so live on one node:
KEYS[1] the stream's facts (a hash), KEYS[2] its batches (a Redis Stream).

Facts:
    first, last: seq of the oldest and the newest event.
    epoch: the fencing token of the last lease.
    until: end of the lease in ms of Redis' clock; 0: no lease.
    claim: identifies the attempt that took the lease.
    run: Redis' run id when the lease was last taken, or else when the log was opened.
    restored: set if taking the lease changed `run`, which means that Redis restarted.
    cancel: the cancel intent: who asked for it.
    seen: when a viewer last watched the stream, in ms of Redis' clock.
    ended: set once the log has its terminal event.

All times are Redis' own, so the clocks of the processes need not agree.
"""

from __future__ import annotations

GONE, ENDED, STALE, ORDER, OK = b"GONE", b"ENDED", b"STALE", b"ORDER", b"OK"

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

# If the ACL of the Redis user forbids INFO, the run id stays empty.
_RUN = """
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
"""

OPEN = (
    _NOW
    + _RUN
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'first', ARGV[1] + 1, 'last', ARGV[1], 'epoch', 0, 'until', 0,
    'seen', string.format('%d', now), 'run', run)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('DEL', KEYS[2])
end
return 'OK'
"""
)
"""ARGV: after, seconds until an unfinished log expires."""

# An epoch exceeds all earlier ones, even if Redis has lost its data since: an old writer must not
# pass for the new one. It is the time in microseconds, since leases change hands less often.
ACQUIRE = (
    _NOW
    + _RUN
    + """
local facts = redis.call('HMGET', KEYS[1], 'epoch', 'until', 'ended', 'claim', 'run')
if not facts[1] then return 'GONE' end
if facts[3] then return 'ENDED' end
if tonumber(facts[2]) > now then return facts[4] == ARGV[3] and facts[1] end
local epoch = string.format('%d', math.max(tonumber(facts[1]) + 1, t[1] * 1000000 + t[2]))
redis.call('HSET', KEYS[1], 'epoch', epoch, 'until', string.format('%d', now + ARGV[1]),
  'claim', ARGV[3], 'run', run)
if (facts[5] or run) ~= run then redis.call('HSET', KEYS[1], 'restored', 1) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return epoch
"""
)
"""ARGV: ms of the lease, seconds until an unfinished log expires, a claim. Repeating a claim
returns the same epoch, in case the first reply was lost."""

RENEW = (
    _NOW
    + """
local facts = redis.call('HMGET', KEYS[1], 'epoch', 'until', 'cancel')
if not facts[1] then return 'GONE' end
if facts[1] ~= ARGV[1] or facts[2] == '0' then return false end
redis.call('HSET', KEYS[1], 'until', string.format('%d', now + ARGV[2]))
redis.call('HDEL', KEYS[1], 'restored')
return facts[3] or ''
"""
)
"""ARGV: epoch, ms of the lease. Returns the cancel intent, or '' if there is none.

An expired lease is renewed unless another generator has taken it. A lease that was released, or
whose stream has ended, is not. A generator that renews has dealt with lost events already, so the
script clears `restored`."""

RELEASE = """
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'until', 0)
end
return 'OK'
"""
"""ARGV: epoch."""

# XADD is the first write: a full Redis rejects it, and then nothing has changed.
# XADD does not check contiguity, hence ORDER. ARGV[7]: an earlier attempt may have succeeded.
APPEND = """
local facts = redis.call('HMGET', KEYS[1], 'last', 'epoch', 'ended')
if not facts[1] then return 'GONE' end
local id = string.format('%d-0', ARGV[3] + 1)
if ARGV[7] == '1' then
  local there = redis.call('XRANGE', KEYS[2], id, id)[1]
  if there and there[2][2] == ARGV[4] then return 'OK' end
end
if facts[3] then return 'ENDED' end
if facts[2] ~= ARGV[1] then return 'STALE' end
if facts[1] + 1 ~= tonumber(ARGV[2]) then return 'ORDER' end
redis.call('XADD', KEYS[2], id, 'e', ARGV[4])
if ARGV[5] == '' then
  redis.call('HSET', KEYS[1], 'last', ARGV[3])
  if redis.call('TTL', KEYS[2]) == -1 then redis.call('EXPIRE', KEYS[2], ARGV[6]) end
else
  redis.call('HSET', KEYS[1], 'last', ARGV[3], 'ended', 1, 'until', 0)
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
redis.call('PUBLISH', KEYS[2], ARGV[4])
return 'OK'
"""
"""ARGV: epoch, first, last, batch, retention, seconds until an unfinished log expires, '1' for a
retry. The retention is the seconds to keep the log if this batch ends it, else ''."""

TELL = """
local facts = redis.call('HMGET', KEYS[1], 'epoch', 'last', 'ended')
if facts[1] == ARGV[1] and facts[2] == ARGV[2] and not facts[3] then
  redis.call('PUBLISH', KEYS[2], ARGV[3])
end
return 'OK'
"""
"""ARGV: epoch, the seq of the last event, the aside."""

READ = """
local facts = redis.call('HMGET', KEYS[1], 'first', 'last', 'ended')
if not facts[1] then return false end
local found = redis.call('XRANGE', KEYS[2], string.format('%d-0', ARGV[1] + 2), '+',
  'COUNT', ARGV[2])
local batches = {}
for i, entry in ipairs(found) do batches[i] = entry[2][2] end
return {tonumber(facts[1]), tonumber(facts[2]), facts[3] and 1 or 0, batches}
"""
"""ARGV: after, maximum number of batches. An entry's id is its batch's last seq + 1."""

STATUS = (
    _NOW
    + """
local facts = redis.call('HMGET', KEYS[1], 'last', 'epoch', 'until', 'cancel', 'seen', 'ended',
  'first', 'restored')
if not facts[1] then return false end
local last = ''
if facts[6] then last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1][2][2] end
return {tonumber(facts[1]), tonumber(facts[2]), tonumber(facts[3]) > now and 1 or 0,
  facts[4] or '', now - facts[5], last, tonumber(facts[7]), facts[8] and 1 or 0}
"""
)

CANCEL = """
local facts = redis.call('HMGET', KEYS[1], 'epoch', 'ended', 'cancel')
if not facts[1] then return 'GONE' end
if not facts[2] then
  if not facts[3] then redis.call('HSET', KEYS[1], 'cancel', ARGV[1]) end
  redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. (facts[3] or ARGV[1]))
end
return 'OK'
"""
"""ARGV: who cancels, the channel for cancel intents, stream_id."""

SEEN = (
    _NOW
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'seen', string.format('%d', now))
end
return 'OK'
"""
)

FORGET = """
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', KEYS[2], '')
return 'OK'
"""

ALL = (OPEN, ACQUIRE, RENEW, RELEASE, APPEND, TELL, READ, STATUS, CANCEL, SEEN, FORGET)
