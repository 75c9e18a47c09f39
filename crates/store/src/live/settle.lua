#!lua flags=no-cluster
-- Writes totals of sealed days as absolute numbers. No batch touches them.
--
-- KEYS[1] is live:meta. ARGV, as a flat list; "*" is a count followed by that many entries:
--   generation, boundary
--   hashes*: key, fields*: field, value ("0" = remove)
--   when the last piece is written, milliseconds ("" = there are more), changes of sealed days that are in it
--
-- Answers: OK, or CHANGED.
local call = redis.call
local n = 0
local function take()
  n = n + 1
  return ARGV[n]
end

local meta = KEYS[1]
local gen, boundary = take(), take()
local held = call('HMGET', meta, 'gen', 'boundary')
if held[1] ~= gen or held[2] ~= boundary then return { 'CHANGED' } end

for _ = 1, tonumber(take()) do
  local key = take()
  for _ = 1, tonumber(take()) do
    local field, value = take(), take()
    if value == '0' then call('HDEL', key, field) else call('HSET', key, field, value) end
  end
end
local at, late = take(), take()
if at ~= '' then
  call('HSET', meta, 'sealed_ms', at)
  if late ~= '0' then call('HINCRBY', meta, 'late', '-' .. late) end
end
call('HINCRBY', meta, 'commits', 1) -- a transaction, as every commit is one
return { 'OK' }
