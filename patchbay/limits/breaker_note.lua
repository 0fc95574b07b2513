-- Count what became of such a request. KEYS: the set of all that are open, then the breakers it passed. ARGV: in what way
-- it failed ('': it did not), then for each breaker the least number of calls to judge by.

local now = now_s()
for at = 2, #KEYS do
  note(KEYS[at], ARGV[1], tonumber(ARGV[at]), KEYS[1], now)
end
