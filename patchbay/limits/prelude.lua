-- Shared by the scripts. Times are Redis's own, in seconds, so that all machines agree; one that lies further ahead than
-- it can was written before the clock was set back, and counts for nothing.

local LOOK_S = 0.02    -- how soon to look again for what frees at an unknown time
local LEASE_S = 90     -- a request that was never settled, by a worker that was killed, is given up after so long
local QUEUE_S = 0.3    -- how long a place among the waiting outlives the moment at which its party wanted to come back
local KEPT_S = 172800
local SIZE_S = 3600    -- how long it holds what an answer told of a limit's size: plans change

local function now_s()
  local moment = redis.call('TIME')
  return tonumber(moment[1]) + tonumber(moment[2]) / 1000000
end

-- All fields of a hash, by name.
local function fields_of(key)
  local fields, all = {}, redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    fields[all[at]] = all[at + 1]
  end
  return fields
end

-- What is known of an owner of limits, and what of it is to be written: each script reads and writes an owner once.
local function owner_of(key)
  return {key = key, known = fields_of(key), changed = {}}
end

local function change(owner, name, text)
  owner.known[name], owner.changed[name] = text, text
end

local function write(owner)
  local words = {}
  for name, text in pairs(owner.changed) do
    words[#words + 1], words[#words + 2] = name, text
  end
  if #words > 0 then
    redis.call('HSET', owner.key, unpack(words))
    redis.call('EXPIRE', owner.key, KEPT_S)
  end
end

-- A budget as it is now: what has flowed back since it was last looked at is in it.
local function refilled(text, now)
  local budget = cjson.decode(text)
  local passed = math.max(0, now - budget.at)
  budget.available = math.min(budget.maximum, budget.available + passed * budget.per_second)
  budget.at = now
  budget.settled = math.min(budget.settled or 0, now)
  return budget
end

-- How many a window holds: what an answer told of late, else what is declared.
local function size_of(owner, window, now)
  local told = owner.known['size:' .. window.name]
  local size = told and cjson.decode(told)
  return size and math.abs(now - size.at) < SIZE_S and size.most or window.most
end

-- All budgets that answers told of, by name.
local function budgets_of(owner, now)
  local found = {}
  for name, text in pairs(owner.known) do
    if string.sub(name, 1, 7) == 'budget:' then
      found[string.sub(name, 8)] = refilled(text, now)
    end
  end
  return found
end
