"""What Redis does in one step: the Lua of the event log.

Each script works on the keys of one stream, which share a hash tag, so that they live on one node:
KEYS[1] the stream's facts (a hash), KEYS[2] its batches (a Redis Stream).

Facts: `first` and `last` seq, `epoch`, `until` (the lease's end, ms of Redis' clock; 0: there is
none), `claim` (by whom it was taken), `run` (in which run of Redis that was, or it was opened),
`restored` (in another one than before), `cancel` (who wished it), `seen` (when somebody watched, in
ms), `ended`. Times are Redis' own: the clocks of the processes need not agree.
"""

from __future__ import annotations

GONE, ENDED, STALE, ORDER, OK = b"GONE", b"ENDED", b"STALE", b"ORDER", b"OK"

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

# A user of Redis who may not ask for it goes without.
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

# An epoch is above all earlier ones, and above those of a Redis that has lost everything since:
# a writer of before must not be taken for the new one. In microseconds, for leases do not change
# hands so often.
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
"""ARGV: ms of the lease, seconds until an unfinished log expires, a claim. The same claim once more
gives the same epoch: its first answer was lost."""

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
"""ARGV: epoch, ms of the lease. Gives the wish to cancel, if there is one. A lease that ran out is
prolonged while nobody else has taken it; one that was given back, or ended, is not. Who prolongs it
has begun, so that what was lost before is behind him."""

RELEASE = """
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'until', 0)
end
return 'OK'
"""
"""ARGV: epoch."""

# XADD first of the writes: a full Redis refuses it, and then nothing has been done.
# XADD alone checks no contiguity. ARGV[7]: an earlier try of the same may have come through.
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
"""ARGV: epoch, first, last, batch, seconds to keep it if this is the end, else '', seconds until an
unfinished log expires, '1' if this is tried again."""

READ = """
local facts = redis.call('HMGET', KEYS[1], 'first', 'last', 'ended')
if not facts[1] then return false end
local found = redis.call('XRANGE', KEYS[2], string.format('%d-0', ARGV[1] + 2), '+',
  'COUNT', ARGV[2])
local batches = {}
for i, entry in ipairs(found) do batches[i] = entry[2][2] end
return {tonumber(facts[1]), tonumber(facts[2]), facts[3] and 1 or 0, batches}
"""
"""ARGV: after, how many batches at most. An entry's id is its batch's last seq + 1."""

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
"""ARGV: by whom, the channel of cancels, stream_id."""

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

ALL = (OPEN, ACQUIRE, RENEW, RELEASE, APPEND, READ, STATUS, CANCEL, SEEN, FORGET)
