-- Write what became of a request: when its places free, what the platform says is left, how long it wants to be left
-- alone. KEYS: as in reserve, and the set of those who have used most of what they may in an hour or more. ARGV: the
-- settling, as JSON.

local said, now = cjson.decode(ARGV[1]), now_s()
local LONG_S, NEAR = 3600, 0.8
local GUARD_S, SLACK, MOST_SLACK_S, DOUBTED_S = 0.01, 0.03, 0.5, 3600
local OWNERS, nearly_spent = {KEYS[1], KEYS[2]}, KEYS[3]

local function note_use(owner, share, seconds)
  if seconds >= LONG_S and share >= NEAR then
    redis.call('SADD', nearly_spent, owner)
  end
end

-- When the platform counted the request is not known: as it came in, most likely, and at the latest so long before the
-- answer was here as the fastest of all answers takes. The first is believed until a refusal shows that it does not hold.
local fastest = tonumber(redis.call('HGET', KEYS[1], 'fastest') or '60')
if said.took then
  fastest = math.min(fastest, said.took)
  redis.call('HSET', KEYS[1], 'fastest', tostring(fastest))
end
if said.pause > 0 then
  redis.call('HSET', KEYS[1], 'refused_at', tostring(now))
end
local is_doubted = math.abs(now - tonumber(redis.call('HGET', KEYS[1], 'refused_at') or '0')) < DOUBTED_S

local function frees_at(seconds)
  if not said.took then
    return now + seconds + GUARD_S
  elseif is_doubted then
    return now + seconds + GUARD_S - math.min(fastest, seconds)
  end
  return math.max(now, now - said.took + seconds + math.min(seconds * SLACK, MOST_SLACK_S))
end

for _, window in ipairs(said.windows) do
  local owner = KEYS[window.owner]
  local limit = owner .. ':window:' .. window.name
  if window.seconds > 0 then
    redis.call('ZADD', limit, 'XX', frees_at(window.seconds), said.permit)
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
