-- Breakers: whether they let a request pass, and what comes of counting how it went. Of the calls of the last minute each
-- keeps a ring of slices, "number fine failed" each, beside its story.

local SLICE_S, SLICES, RATE = 10, 6, 0.5
local FIRST_S, LONGEST_S, CALM_S = 30, 900, 600
local STORY_S, ERRORS = 604800, 10

-- How long to wait, and the place of the breaker that says so (0: none); the open ones of which the request is the probe.
local function wait_of(breakers, now)
  local probed = {}
  for at, breaker in ipairs(breakers) do
    if redis.call('HGET', breaker, 'is_open') == '1' then
      local story = redis.call('HMGET', breaker, 'retry_at', 'open_s', 'probe_until', 'probe_s')
      local retry_at, open_s = tonumber(story[1]), tonumber(story[2])
      local probe_until, probe_s = tonumber(story[3] or '0'), tonumber(story[4] or '0')
      if retry_at > now + open_s + 1 then  -- the clock was set back
        retry_at = now + open_s
        redis.call('HSET', breaker, 'retry_at', tostring(retry_at))
      end
      if retry_at > now then
        return retry_at - now, at
      end
      if probe_until > now and probe_until <= now + probe_s + 1 then
        return math.min(probe_until - now, 5), at
      end
      probed[#probed + 1] = breaker
    end
  end
  return 0, 0, probed
end

-- A probe that was never answered, by a worker that was killed, is given up when no answer can come any more.
local function probe(breakers, lasts_s, now)
  for _, breaker in ipairs(breakers) do
    redis.call('HSET', breaker, 'probe_until', tostring(now + lasts_s), 'probe_s', tostring(lasts_s))
  end
end

local function ring()
  local names = {}
  for at = 0, SLICES - 1 do
    names[#names + 1] = 'slice:' .. at
  end
  return names
end

-- Fine and failed calls of the slice that is now, and of a slice that a text tells of, when that is of the last minute.
local function counts_of(text, slice, oldest)
  local at, fine, failed = string.match(text or '', '^(%d+) (%d+) (%d+)$')
  if at and tonumber(at) >= oldest and tonumber(at) <= slice then
    return tonumber(fine), tonumber(failed)
  end
  return 0, 0
end

local function is_too_much(breaker, slice, least)
  local calls, bad = 0, 0
  for _, text in ipairs(redis.call('HMGET', breaker, unpack(ring()))) do
    local fine, failed = counts_of(text, slice, slice - SLICES + 1)
    calls, bad = calls + fine + failed, bad + failed
  end
  return calls >= least and bad / calls >= RATE
end

local function open(breaker, open_s, now, all_open)
  redis.call('HSET', breaker, 'is_open', '1', 'open_s', tostring(open_s), 'retry_at', tostring(now + open_s),
    'probe_until', '0')
  redis.call('HDEL', breaker, unpack(ring()))
  redis.call('SADD', all_open, breaker)
end

local function close(breaker, now, all_open)
  redis.call('HSET', breaker, 'is_open', '0', 'closed_at', tostring(now), 'probe_until', '0')
  redis.call('SREM', all_open, breaker)
end

local function keep_words(breaker, words, now)
  local key = breaker .. ':errors'
  redis.call('LPUSH', key, cjson.encode({at = now, what = words}))
  redis.call('LTRIM', key, 0, ERRORS - 1)
  redis.call('EXPIRE', key, STORY_S)
end

-- Count what became of a request, and open or close by it. `words` say in what way it failed, '' that it did not;
-- `least` is the smallest number of calls to judge by.
local function note(breaker, words, least, all_open, now)
  local slice, has_failed = math.floor(now / SLICE_S), words ~= ''
  local name = 'slice:' .. slice % SLICES
  local story = redis.call('HMGET', breaker, 'is_open', 'open_s', 'probe_until', 'closed_at', name)
  local open_s, is_probed = tonumber(story[2] or '0'), tonumber(story[3] or '0') > 0
  if has_failed then
    keep_words(breaker, words, now)
  end
  if story[1] == '1' then
    if is_probed and has_failed then
      open(breaker, math.min(open_s * 2, LONGEST_S), now, all_open)
    elseif is_probed then
      close(breaker, now, all_open)
    end
    return
  end
  local fine, failed = counts_of(story[5], slice, slice)
  redis.call('HSET', breaker, name,
    string.format('%d %d %d', slice, fine + (has_failed and 0 or 1), failed + (has_failed and 1 or 0)))
  if fine + failed == 0 then
    redis.call('EXPIRE', breaker, STORY_S)
  end
  if has_failed and is_too_much(breaker, slice, least) then
    local is_again = now - tonumber(story[4] or '0') < CALM_S
    open(breaker, is_again and math.min(math.max(open_s * 2, FIRST_S), LONGEST_S) or FIRST_S, now, all_open)
    redis.call('HSET', breaker, 'opened_at', tostring(now))
  end
end
