#!lua flags=no-cluster
-- Removes what lies before the boundary. No batch touches it any more, so it may be done in pieces and more than once.
--
-- KEYS[1] is live:meta. ARGV, as a flat list; "*" is a count followed by that many entries:
--   generation, boundary
--   keys that go*
--   hashes*: key, fields that go*
--   day before the boundary, hashes whose earlier days are added up there*
--   "1" when this is the last piece
--
-- Answers: OK, or CHANGED.
local call = redis.call
local CHUNK = 1000
local n = 0
local function take()
  n = n + 1
  return ARGV[n]
end
local function list()
  local values = {}
  for i = 1, tonumber(take()) do values[i] = take() end
  return values
end
local function in_chunks(command, key, values)
  for from = 1, #values, CHUNK do call(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values))) end
end

local meta = KEYS[1]
local gen, boundary = take(), take()
local held = call('HMGET', meta, 'gen', 'boundary')
if held[1] ~= gen or held[2] ~= boundary then return { 'CHANGED' } end

for _, key in ipairs(list()) do call('UNLINK', key) end
for _ = 1, tonumber(take()) do
  local key = take()
  in_chunks('HDEL', key, list())
end
local last = take()
for _, key in ipairs(list()) do
  local sum, gone = 0, {}
  local all = call('HGETALL', key)
  for i = 1, #all, 2 do
    if all[i] <= last then
      sum = sum + tonumber(all[i + 1])
      gone[#gone + 1] = all[i]
    end
  end
  in_chunks('HDEL', key, gone)
  if sum ~= 0 then call('HSET', key, last, string.format('%.0f', sum)) end
end
if take() == '1' then call('HSET', meta, 'left', boundary) end
call('HINCRBY', meta, 'commits', 1) -- a transaction, as every commit is one
return { 'OK' }
