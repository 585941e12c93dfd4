"""The scripts that run inside Redis, each atomic. Each reads everything before it writes: one that fails changes nothing."""

JOIN = """
-- KEYS: ticket, queue, idempotency ('' without one).  ARGV: id, now_ms, lifetime_ms, kept_ms, user, mode, created_at,
-- expires_at, attributes.  Gives the ticket's id, and whether it is new.
local known = KEYS[3] ~= '' and redis.call('GET', KEYS[3])
if known then return {known, 0} end
redis.call('HSET', KEYS[1], 'user_id', ARGV[5], 'mode', ARGV[6], 'status', 'QUEUED', 'created_at', ARGV[7],
  'expires_at', ARGV[8], 'expires_at_epoch_millis', ARGV[2] + ARGV[3], 'attributes', ARGV[9], 'match_id', '')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if KEYS[3] ~= '' then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3]) end
return {ARGV[1], 1}
"""

CANCEL = """
-- KEYS: ticket, queue.  ARGV: id.  Gives the status that the ticket has then, or nothing without a ticket.
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'QUEUED' then
  redis.call('HSET', KEYS[1], 'status', 'CANCELLED')
  redis.call('ZREM', KEYS[2], ARGV[1])
  status = 'CANCELLED'
end
return status
"""

MATCH = """
-- KEYS: queue.  ARGV: now_ms, batch, kept_ms, occurred_at, mode, then one match id for each pair of the batch.
-- Gives {pairs, expired}: each pair is {match_id, joined_ms, joined_ms}.
local now, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
local queued = redis.call('ZRANGE', KEYS[1], 0, batch * 4, 'WITHSCORES')
local waiting, pairs, expired, gone = {}, {}, {}, {}
for i = 1, #queued, 2 do
  local id, joined = queued[i], queued[i + 1]
  local t = redis.call('HMGET', 'mm:ticket:' .. id, 'status', 'user_id', 'expires_at_epoch_millis')
  if t[1] ~= 'QUEUED' then
    gone[#gone + 1] = id
  elseif tonumber(t[3]) <= now then
    expired[#expired + 1] = id
  elseif #pairs < batch then
    local partner
    for j, other in ipairs(waiting) do
      if other.user ~= t[2] then partner = table.remove(waiting, j) break end
    end
    if partner then
      pairs[#pairs + 1] = {partner, {id = id, user = t[2], joined = joined}}
    else
      waiting[#waiting + 1] = {id = id, user = t[2], joined = joined}
    end
  end
end
for _, id in ipairs(gone) do redis.call('ZREM', KEYS[1], id) end
for _, id in ipairs(expired) do
  redis.call('HSET', 'mm:ticket:' .. id, 'status', 'EXPIRED')
  redis.call('ZREM', KEYS[1], id)
end
local made = {}
for n, pair in ipairs(pairs) do
  local match = ARGV[5 + n]
  for k, ticket in ipairs(pair) do
    local key = 'mm:ticket:' .. ticket.id
    redis.call('HSET', key, 'status', 'MATCHED', 'match_id', match, 'peer_user_ids', cjson.encode({pair[3 - k].user}))
    redis.call('PEXPIRE', key, ARGV[3])
    redis.call('ZREM', KEYS[1], ticket.id)
  end
  redis.call('HSET', 'mm:match:' .. match, 'mode', ARGV[5], 'occurred_at', ARGV[4])
  redis.call('PEXPIRE', 'mm:match:' .. match, ARGV[3])
  made[#made + 1] = {match, pair[1].joined, pair[2].joined}
end
return {made, #expired}
"""
