-- Whether a request may go. KEYS: all breakers that must let it pass. Answers how long to wait, and for which of them
-- ("0": it may go; of a breaker that is open, as the one probe). ARGV[1]: how long a probe may take.

local now, lease_s = now_s(), tonumber(ARGV[1])
local open = {}

for at, breaker in ipairs(KEYS) do
  if redis.call('HGET', breaker, 'is_open') == '1' then
    local story = redis.call('HMGET', breaker, 'retry_at', 'open_s', 'probe_until')
    local retry_at, open_s, probe_until = tonumber(story[1]), tonumber(story[2]), tonumber(story[3] or '0')
    if retry_at > now + open_s + 1 then  -- the clock was set back
      retry_at = now + open_s
      redis.call('HSET', breaker, 'retry_at', tostring(retry_at))
    end
    if retry_at > now then
      return {tostring(retry_at - now), tostring(at)}
    end
    if probe_until > now and probe_until <= now + lease_s + 1 then
      return {tostring(math.min(probe_until - now, 5)), tostring(at)}
    end
    open[#open + 1] = breaker
  end
end

for _, breaker in ipairs(open) do
  redis.call('HSET', breaker, 'probe_until', tostring(now + lease_s))
end
return {'0', '0'}
