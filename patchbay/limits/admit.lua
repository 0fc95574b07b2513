-- Take what one request needs from every limit that counts it, or nothing and say how long to wait. KEYS: what is counted
-- for the account, what is counted for the app, and the breakers that must let it pass. ARGV: the asking, as JSON.
-- Answers JSON: seconds to `wait`, and for a breaker that is open which one it is (`shut`); or the time (`at`), and owner,
-- name and amount of what was taken from each budget.

local FIRST_S = 2      -- how long the first request of an account is waited for before others go without its answer
local PARTY_S = 600    -- how long it is remembered who was served

local ask, now = cjson.decode(ARGV[1]), now_s()
local wait_s, shut, probed = wait_of({unpack(KEYS, 3)}, now)
if shut > 0 then
  return cjson.encode({wait = wait_s, shut = shut})
end

local owners = {owner_of(KEYS[1]), owner_of(KEYS[2])}
local account = owners[1]
local wait, lacking, taken = 0, {}, {}

local function is_waited_for(owner)
  return tonumber(owner.known.waited_until or '0') > now
end

-- Of those who wait, whoever was served longest ago comes first: so actions get through beside imports, and each
-- connection of an app gets its part, while nothing lies idle for somebody who does not ask. `room` is for how many
-- there is enough.
local function is_others_turn(owner, limit, room)
  if not is_waited_for(owner) then
    return false
  end
  local queue, served, before = limit .. ':queue', owner.key .. ':served', 0
  redis.call('ZREMRANGEBYSCORE', queue, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', queue, now + 61, '+inf')
  local mine = tonumber(redis.call('ZSCORE', served, ask.party) or '0')
  for _, party in ipairs(redis.call('ZRANGE', queue, 0, 31)) do
    if party ~= ask.party and tonumber(redis.call('ZSCORE', served, party) or '0') < mine then
      before = before + 1
    end
  end
  return before >= room
end

local function lack(owner, limit, seconds)
  wait = math.max(wait, seconds)
  lacking[#lacking + 1] = {owner = owner, limit = limit}
end

local told = redis.call('HGET', account.key .. ':pauses', ask.lane)
if told then
  local pause = cjson.decode(told)
  if pause.until_s > now + pause.seconds + 1 then
    pause.until_s = now + pause.seconds
    redis.call('HSET', account.key .. ':pauses', ask.lane, cjson.encode(pause))
  end
  wait = math.max(wait, pause.until_s - now)
end

-- Before anything was learnt of an account, it may be permitted less than its platform promises: one request goes ahead.
local first_until = not account.known.fastest and tonumber(account.known.first_until or '0')
if first_until and first_until > now and first_until <= now + FIRST_S + 1 then
  wait = math.max(wait, LOOK_S)
end

for _, window in ipairs(ask.windows) do
  local owner = owners[window.owner]
  local limit, most = owner.key .. ':window:' .. window.name, size_of(owner, window, now)
  window.limit = limit
  redis.call('ZREMRANGEBYSCORE', limit, '-inf', now)
  if most > 0 then
    local used = redis.call('ZCARD', limit)
    if used >= most then
      redis.call('ZREMRANGEBYSCORE', limit, now + window.seconds + LEASE_S + 1, '+inf')
      used = redis.call('ZCARD', limit)
    end
    if used >= most then
      local first = redis.call('ZRANGE', limit, used - most, used - most, 'WITHSCORES')
      local frees_in = tonumber(first[2]) - now
      lack(owner, limit, frees_in > window.seconds + 1 and LOOK_S or frees_in)
    elseif is_others_turn(owner, limit, 1) then
      lack(owner, limit, LOOK_S)
    end
  end
end

local function promised_or_told(which)
  local budgets = budgets_of(owners[which], now)
  for _, promise in ipairs(ask.promised) do
    if promise.owner == which and not budgets[promise.name] then
      budgets[promise.name] = {
        available = promise.maximum, maximum = promise.maximum, per_second = promise.per_second, keep = promise.keep,
        seconds = promise.seconds, at = now, settled = 0,
      }
    end
  end
  return budgets
end

for which, owner in ipairs(owners) do
  for name, budget in pairs(promised_or_told(which)) do
    local limit = owner.key .. ':budget:' .. name
    local cost = tonumber(redis.call('HGET', owner.key .. ':costs', name .. ':' .. ask.alike) or ask.cost)
    cost = math.max(0, math.min(cost, budget.maximum - budget.keep))
    local missing = cost + budget.keep - budget.available
    if missing > 0 and budget.per_second > 0 then
      lack(owner, limit, missing / budget.per_second)
    elseif cost > 0 and is_others_turn(owner, limit, math.floor((budget.available - budget.keep) / cost)) then
      lack(owner, limit, LOOK_S)
    end
    taken[#taken + 1] = {owner = which, name = name, cost = cost, budget = budget, limit = limit}
  end
end

local function stand_in_line()
  for _, each in ipairs(lacking) do
    local owner, until_s = each.owner, now + wait + QUEUE_S
    redis.call('ZADD', each.limit .. ':queue', until_s, ask.party)
    redis.call('EXPIRE', each.limit .. ':queue', 60)
    if tonumber(owner.known.waited_until or '0') < until_s then
      change(owner, 'waited_until', tostring(until_s))
    end
  end
  write(owners[1])
  write(owners[2])
end

if wait > 0 then
  if wait <= ask.patience then
    stand_in_line()
  end
  return cjson.encode({wait = wait})
end

local is_served, is_under_way = {}, {}

local function serve(which, limit)
  if is_waited_for(owners[which]) then
    redis.call('ZREM', limit .. ':queue', ask.party)
  end
  is_served[which] = true
end

for _, window in ipairs(ask.windows) do
  redis.call('ZADD', window.limit, now + window.seconds + LEASE_S, ask.permit)
  redis.call('EXPIRE', window.limit, math.ceil(window.seconds) + LEASE_S)
  serve(window.owner, window.limit)
end

local answer = {}
for at, each in ipairs(taken) do
  each.budget.available = each.budget.available - each.cost
  change(owners[each.owner], 'budget:' .. each.name, cjson.encode(each.budget))
  serve(each.owner, each.limit)
  is_under_way[each.owner] = true
  answer[at] = {owner = each.owner, name = each.name, cost = each.cost}
end

if first_until == 0 then
  change(account, 'first_until', tostring(now + FIRST_S))
end
probe(probed, ask.lasts, now)
for which, owner in ipairs(owners) do
  write(owner)
  if is_served[which] and redis.call('ZADD', owner.key .. ':served', now, ask.party) == 1 then
    redis.call('EXPIRE', owner.key .. ':served', PARTY_S)
  end
  if is_under_way[which] then
    redis.call('ZADD', owner.key .. ':sent', now + LEASE_S, ask.permit)
    redis.call('EXPIRE', owner.key .. ':sent', LEASE_S)
  end
end
return cjson.encode({at = now, taken = #answer > 0 and answer or nil})
