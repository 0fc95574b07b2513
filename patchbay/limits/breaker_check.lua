-- Whether a request may go that is counted by no limit. KEYS: all breakers that must let it pass. ARGV[1]: how long a
-- probe may take. Answers how long to wait ("0": it may go; of a breaker that is open, as the one probe), and for which.

local now = now_s()
local wait, at, probed = wait_of(KEYS, now)
if at == 0 then
  probe(probed, tonumber(ARGV[1]), now)
end
return {tostring(wait), at}
