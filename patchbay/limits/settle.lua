-- Write what became of a request: when its places free, what the platform says is left, how long it wants to be left
-- alone, and how its breakers stand. KEYS: what is counted for the account, what is counted for the app, the set of those
-- who have used most of what they may in an hour or more, the set of breakers that are open, and the breakers that the
-- request passed. ARGV: the settling, as JSON.

local said, now = cjson.decode(ARGV[1]), now_s()
local LONG_S, NEAR = 3600, 0.8
local GUARD_S, SLACK, MOST_SLACK_S, DOUBTED_S = 0.01, 0.03, 0.5, 3600
local owners, nearly_spent = {owner_of(KEYS[1]), owner_of(KEYS[2])}, KEYS[3]
local account = owners[1]

local function note_use(owner, share)
  if share >= NEAR then
    redis.call('SADD', nearly_spent, owner.key)
  end
end

-- When the platform counted the request is not known: as it came in, most likely, and at the latest so long before the
-- answer was here as the fastest of all answers takes. The first is believed until a refusal shows that it does not hold.
local fastest = tonumber(account.known.fastest or '60')
if said.took and (said.took < fastest or not account.known.fastest) then
  fastest = math.min(fastest, said.took)
  change(account, 'fastest', tostring(fastest))
elseif not account.known.fastest then
  change(account, 'first_until', '0')
end
if said.pause > 0 then
  change(account, 'refused_at', tostring(now))
end
local is_doubted = math.abs(now - tonumber(account.known.refused_at or '0')) < DOUBTED_S

local function frees_at(seconds)
  if not said.took then
    return now + seconds + GUARD_S
  elseif is_doubted then
    return now + seconds + GUARD_S - math.min(fastest, seconds)
  end
  return math.max(now, now - said.took + seconds + math.min(seconds * SLACK, MOST_SLACK_S))
end

for _, window in ipairs(said.windows) do
  local owner = owners[window.owner]
  local limit = owner.key .. ':window:' .. window.name
  if window.seconds > 0 then
    redis.call('ZADD', limit, 'XX', frees_at(window.seconds), said.permit)
  else
    redis.call('ZREM', limit, said.permit)
  end
  if window.seconds >= LONG_S then
    local most = size_of(owner, window, now)
    note_use(owner, most > 0 and redis.call('ZCARD', limit) / most or 0)
  end
end

for _, size in ipairs(said.sizes) do
  change(owners[size.owner], 'size:' .. size.name, cjson.encode({most = size.most, at = now}))
end

local told_of = {{}, {}}
for _, told in ipairs(said.told) do
  told_of[told.owner][told.name] = told
end

local budgets, is_empty, knows_all = {budgets_of(owners[1], now), budgets_of(owners[2], now)}, {}, {{}, {}}

-- The request is under way no more; whether no other is.
local function leave(which)
  if is_empty[which] == nil then
    local sent = owners[which].key .. ':sent'
    redis.call('ZREM', sent, said.permit)
    redis.call('ZREMRANGEBYSCORE', sent, '-inf', now)
    is_empty[which] = redis.call('ZCARD', sent) == 0
  end
  return is_empty[which]
end

local function keep(which, name, budget)
  budget.at, budget.settled = now, now
  change(owners[which], 'budget:' .. name, cjson.encode(budget))
end

-- What was set aside and not used flows back at once; without an answer nobody knows, and it stays spent.
for _, each in ipairs(said.taken) do
  local which, name = each.owner, each.name
  local budget, told = budgets[which][name], told_of[which][name]
  knows_all[which][name] = leave(which) and budget and budget.settled < said.granted_at
  if budget and told then
    budget.available = math.max(0, math.min(budget.available + each.cost - told.spent, budget.maximum))
    told.was_known = each.cost == told.cost
  elseif budget then
    keep(which, name, budget)
  end
end

for _, told in ipairs(said.told) do
  local owner, available = owners[told.owner], told.available
  local own = budgets[told.owner][told.name]
  if own and not knows_all[told.owner][told.name] then
    available = math.min(available, own.available)  -- another request under way may not be in what was told
  end
  keep(told.owner, told.name, {
    available = available, maximum = told.maximum, per_second = told.per_second, keep = told.keep,
    seconds = told.seconds,
  })
  if not told.was_known then
    redis.call('HSET', owner.key .. ':costs', told.name .. ':' .. said.alike, tostring(told.cost))
    if redis.call('HLEN', owner.key .. ':costs') > 200 then
      redis.call('DEL', owner.key .. ':costs')
    end
    redis.call('EXPIRE', owner.key .. ':costs', KEPT_S)
  end
  if told.maximum > 0 and told.seconds >= LONG_S then
    note_use(owner, 1 - available / told.maximum)
  end
end

if said.pause > 0 then
  local pauses = account.key .. ':pauses'
  if redis.call('HLEN', pauses) > 200 then
    redis.call('DEL', pauses)
  end
  redis.call('HSET', pauses, said.lane, cjson.encode({until_s = now + said.pause, seconds = said.pause}))
  redis.call('EXPIRE', pauses, math.max(KEPT_S, math.ceil(said.pause)))
end

write(owners[1])
write(owners[2])
for at, least in ipairs(said.least) do
  note(KEYS[4 + at], said.words, least, KEYS[4], now)
end
