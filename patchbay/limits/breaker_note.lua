-- Count what became of a request, and open or close by it. KEYS: the breakers it passed. ARGV: 1 when it failed, what
-- was wrong, the set of all that are open, then for each breaker the least number of calls to judge by. Answers for
-- each "opened", "closed" or "".

local now, failed, words, all_open = now_s(), ARGV[1] == '1', ARGV[2], ARGV[3]
local SLICE_S, SLICES, RATE = 10, 6, 0.5
local FIRST_S, LONGEST_S, CALM_S = 30, 900, 600
local STORY_S, ERRORS = 604800, 10
local slice = math.floor(now / SLICE_S)
local events = {}

local function count(breaker)
  local key = breaker .. ':' .. (failed and 'failed:' or 'fine:') .. slice
  redis.call('INCR', key)
  redis.call('EXPIRE', key, SLICE_S * (SLICES + 1))
end

local function slices(breaker, kind)
  local names, sum = {}, 0
  for back = 0, SLICES - 1 do
    names[#names + 1] = breaker .. ':' .. kind .. ':' .. (slice - back)
  end
  for _, calls in ipairs(redis.call('MGET', unpack(names))) do
    sum = sum + tonumber(calls or '0')
  end
  return sum, names
end

local function forget_counts(breaker)
  for _, kind in ipairs({'failed', 'fine'}) do
    local _, names = slices(breaker, kind)
    redis.call('DEL', unpack(names))
  end
end

local function open(breaker, open_s)
  redis.call('HSET', breaker, 'is_open', '1', 'open_s', tostring(open_s), 'retry_at', tostring(now + open_s),
    'probe_until', '0')
  redis.call('SADD', all_open, breaker)
end

for at, breaker in ipairs(KEYS) do
  local event = ''
  local story = redis.call('HMGET', breaker, 'is_open', 'open_s', 'probe_until', 'closed_at')
  local open_s, is_probed = tonumber(story[2] or '0'), tonumber(story[3] or '0') > 0
  if failed then
    local key = breaker .. ':errors'
    redis.call('LPUSH', key, cjson.encode({at = now, what = words}))
    redis.call('LTRIM', key, 0, ERRORS - 1)
    redis.call('EXPIRE', key, STORY_S)
  end
  if story[1] == '1' then
    if is_probed and failed then
      open(breaker, math.min(open_s * 2, LONGEST_S))
    elseif is_probed then
      redis.call('HSET', breaker, 'is_open', '0', 'closed_at', tostring(now), 'probe_until', '0')
      redis.call('SREM', all_open, breaker)
      forget_counts(breaker)
      event = 'closed'
    end
  else
    count(breaker)
    if failed then
      local bad, calls = slices(breaker, 'failed'), 0
      calls = bad + slices(breaker, 'fine')
      if calls >= tonumber(ARGV[3 + at]) and bad / calls >= RATE then
        local is_again = now - tonumber(story[4] or '0') < CALM_S
        open(breaker, is_again and math.min(math.max(open_s * 2, FIRST_S), LONGEST_S) or FIRST_S)
        redis.call('HSET', breaker, 'opened_at', tostring(now))
        forget_counts(breaker)
        event = 'opened'
      end
    end
  end
  redis.call('EXPIRE', breaker, STORY_S)
  events[at] = event
end
return events
