#!lua flags=no-cluster
-- Moves the boundary: days before it are sealed from now on, for every worker at once.
--
-- KEYS[1] is live:meta; ARGV: generation, boundary as it was read ("" = none), new boundary.
-- Answers: OK, or CHANGED.
local meta = KEYS[1]
local held = redis.call('HMGET', meta, 'gen', 'boundary')
if held[1] ~= ARGV[1] or (held[2] or '') ~= ARGV[2] then return { 'CHANGED' } end
redis.call('HSET', meta, 'boundary', ARGV[3])
redis.call('HINCRBY', meta, 'commits', 1) -- a transaction, as every commit is one
return { 'OK' }
