#!lua flags=no-cluster
-- Takes over partitions: raises the epoch of each by one and gives it back with the checkpoint. A partition that the
-- generation does not know starts at 0.
--
-- KEYS[1] is live:meta; ARGV: generation, version, then partition names.
-- Answers: EMPTY (the generation or version is another), or OK and epoch, checkpoint for each partition.
local meta = KEYS[1]
local held = redis.call('HMGET', meta, 'gen', 'ver')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return { 'EMPTY' } end
local answer = { 'OK' }
for i = 3, #ARGV do
  redis.call('HINCRBY', meta, 'epoch:' .. ARGV[i], 1)
  redis.call('HSETNX', meta, 'at:' .. ARGV[i], '0')
  local got = redis.call('HMGET', meta, 'epoch:' .. ARGV[i], 'at:' .. ARGV[i])
  answer[#answer + 1] = got[1]
  answer[#answer + 1] = got[2]
end
return answer
