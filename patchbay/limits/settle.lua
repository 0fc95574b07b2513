-- Write what became of a request: when its places free, what the platform says is left, how long it wants to be left
-- alone. KEYS: as in reserve, and the set of those who have used most of what they may in an hour or more. ARGV: the
-- settling, as JSON.

local said, now = cjson.decode(ARGV[1]), now_s()
local LONG_S, NEAR, GUARD_S = 3600, 0.8, 0.01
local OWNERS, nearly_spent = {KEYS[1], KEYS[2]}, KEYS[3]

local function note_use(owner, share, seconds)
  if seconds >= LONG_S and share >= NEAR then
    redis.call('SADD', nearly_spent, owner)
  end
end

-- The platform counted the request before it answered, and no later than the fastest answer of all takes to arrive; so
-- the place is free so long after the answer, whatever the way there and back took this time.
local fastest = tonumber(redis.call('HGET', KEYS[1], 'fastest') or '60')
if said.took then
  fastest = math.min(fastest, said.took)
  redis.call('HSET', KEYS[1], 'fastest', tostring(fastest))
end
local way_s = said.took and fastest or 0

for _, window in ipairs(said.windows) do
  local owner = KEYS[window.owner]
  local limit = owner .. ':window:' .. window.name
  if window.seconds > 0 then
    local frees_at = now + math.max(0, window.seconds + GUARD_S - math.min(way_s, window.seconds))
    redis.call('ZADD', limit, 'XX', frees_at, said.permit)
    local most = size_of(owner, window, now)
    if most > 0 then
      note_use(owner, redis.call('ZCARD', limit) / most, window.seconds)
    end
  else
    redis.call('ZREM', limit, said.permit)
  end
end

for _, size in ipairs(said.sizes) do
  redis.call('HSET', KEYS[size.owner], 'size:' .. size.name, cjson.encode({most = size.most, at = now}))
end

local before = {}
for which, owner in ipairs(OWNERS) do
  before[which] = budgets_of(owner, now)
end

-- What was set aside and not used flows back at once; without an answer nobody knows, and it stays spent.
local is_alone = {}
for _, each in ipairs(said.taken) do
  local sent = KEYS[each.owner] .. ':budget:' .. each.name .. ':sent'
  local budget = before[each.owner][each.name]
  redis.call('ZREM', sent, said.permit)
  drop_past(sent, now, LEASE_S)
  if budget then
    is_alone[each.owner .. each.name] = redis.call('ZCARD', sent) == 0 and budget.settled < said.granted_at
    budget.settled = now
    for _, told in ipairs(said.told) do
      if told.name == each.name and told.owner == each.owner then
        budget.available = budget.available + each.cost - told.spent
      end
    end
    budget.available = math.max(0, math.min(budget.available, budget.maximum))
    redis.call('HSET', KEYS[each.owner], 'budget:' .. each.name, cjson.encode(budget))
  end
end

for _, told in ipairs(said.told) do
  local owner, available = KEYS[told.owner], told.available
  local own = before[told.owner][told.name]
  if own and not is_alone[told.owner .. told.name] then
    available = math.min(available, own.available)  -- another request under way may not be in what was told
  end
  redis.call('HSET', owner, 'budget:' .. told.name, cjson.encode({
    available = available, maximum = told.maximum, per_second = told.per_second, keep = told.keep,
    seconds = told.seconds, at = now, settled = now,
  }))
  redis.call('HSET', owner .. ':costs', told.name .. ':' .. said.alike, tostring(told.cost))
  if redis.call('HLEN', owner .. ':costs') > 200 then
    redis.call('DEL', owner .. ':costs')
  end
  redis.call('EXPIRE', owner .. ':costs', KEPT_S)
  if told.maximum > 0 then
    note_use(owner, 1 - available / told.maximum, told.seconds)
  end
end

if said.pause > 0 then
  local pauses = KEYS[1] .. ':pauses'
  if redis.call('HLEN', pauses) > 200 then
    redis.call('DEL', pauses)
  end
  redis.call('HSET', pauses, said.lane, cjson.encode({until_s = now + said.pause, seconds = said.pause}))
  redis.call('EXPIRE', pauses, math.max(KEPT_S, math.ceil(said.pause)))
end

for _, owner in ipairs(OWNERS) do
  redis.call('EXPIRE', owner, KEPT_S)
end
