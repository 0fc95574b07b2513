-- Take what one request needs from every limit that counts it, or nothing and say how long to wait.
-- KEYS: what is counted for the account, what is counted for the app. ARGV: the asking, as JSON.
-- Answers: seconds to wait, or "0", the time, and owner, name and amount of what was taken from each budget.

local ask, now = cjson.decode(ARGV[1]), now_s()
local wait, lacking, taken = 0, {}, {}

-- Of those who wait, whoever was served longest ago comes first: so actions get through beside imports, and each
-- connection of an app gets its part, while nothing lies idle for somebody who does not ask. `room` is for how many
-- there is enough.
local function is_others_turn(limit, room)
  local queue, served, before = limit .. ':queue', limit .. ':served', 0
  drop_past(queue, now, 60)
  local mine = tonumber(redis.call('ZSCORE', served, ask.party) or '0')
  for _, party in ipairs(redis.call('ZRANGE', queue, 0, 31)) do
    if party ~= ask.party and tonumber(redis.call('ZSCORE', served, party) or '0') < mine then
      before = before + 1
    end
  end
  return before >= room
end

local function lack(limit, seconds)
  wait = math.max(wait, seconds)
  lacking[#lacking + 1] = limit
end

for _, owner in ipairs(KEYS) do
  local told = redis.call('HGET', owner .. ':pauses', ask.lane)
  if told then
    local pause = cjson.decode(told)
    if pause.until_s > now + pause.seconds + 1 then
      pause.until_s = now + pause.seconds
      redis.call('HSET', owner .. ':pauses', ask.lane, cjson.encode(pause))
    end
    wait = math.max(wait, pause.until_s - now)
  end
end

for _, window in ipairs(ask.windows) do
  local owner = KEYS[window.owner]
  local limit = owner .. ':window:' .. window.name
  local most = size_of(owner, window, now)
  drop_past(limit, now, window.seconds + LEASE_S)
  window.limit = limit
  if most > 0 then
    local used = redis.call('ZCARD', limit)
    if used >= most then
      local first = redis.call('ZRANGE', limit, used - most, used - most, 'WITHSCORES')
      local frees_in = tonumber(first[2]) - now
      lack(limit, frees_in > window.seconds + 1 and LOOK_S or frees_in)
    elseif is_others_turn(limit, 1) then
      lack(limit, LOOK_S)
    end
  end
end

local function promised_or_told(which)
  local budgets = budgets_of(KEYS[which], now)
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

for which, owner in ipairs(KEYS) do
  for name, budget in pairs(promised_or_told(which)) do
    local limit = owner .. ':budget:' .. name
    local cost = tonumber(redis.call('HGET', owner .. ':costs', name .. ':' .. ask.alike) or ask.cost)
    cost = math.max(0, math.min(cost, budget.maximum - budget.keep))
    local missing = cost + budget.keep - budget.available
    if missing > 0 and budget.per_second > 0 then
      lack(limit, missing / budget.per_second)
    elseif cost > 0 and is_others_turn(limit, math.floor((budget.available - budget.keep) / cost)) then
      lack(limit, LOOK_S)
    end
    taken[#taken + 1] = {which = which, name = name, cost = cost, budget = budget, limit = limit}
  end
end

if wait > 0 then
  if wait <= ask.patience then
    for _, limit in ipairs(lacking) do
      redis.call('ZADD', limit .. ':queue', now + wait + QUEUE_S, ask.party)
      redis.call('EXPIRE', limit .. ':queue', 60)
    end
  end
  return {tostring(wait)}
end

local function serve(limit)
  redis.call('ZREM', limit .. ':queue', ask.party)
  redis.call('ZADD', limit .. ':served', now, ask.party)
  redis.call('ZREMRANGEBYSCORE', limit .. ':served', '-inf', now - 600)
  redis.call('EXPIRE', limit .. ':served', 600)
end

for _, window in ipairs(ask.windows) do
  redis.call('ZADD', window.limit, now + window.seconds + LEASE_S, ask.permit)
  redis.call('EXPIRE', window.limit, math.ceil(window.seconds) + LEASE_S)
  serve(window.limit)
end

local answer = {'0', tostring(now)}
for _, each in ipairs(taken) do
  each.budget.available = each.budget.available - each.cost
  redis.call('HSET', KEYS[each.which], 'budget:' .. each.name, cjson.encode(each.budget))
  redis.call('ZADD', each.limit .. ':sent', now + LEASE_S, ask.permit)
  redis.call('EXPIRE', each.limit .. ':sent', LEASE_S)
  serve(each.limit)
  answer[#answer + 1] = tostring(each.which)
  answer[#answer + 1] = each.name
  answer[#answer + 1] = tostring(each.cost)
end
return answer
