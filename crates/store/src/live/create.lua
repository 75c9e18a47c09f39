#!lua flags=no-cluster
-- Starts a new live generation, if live:meta still says what was read: one new generation, not one per worker.
--
-- KEYS[1] is live:meta; ARGV: generation and version as they were read ("" = none), new generation, new version,
-- creation time in ms, rates in use, boundary ("" = no day is sealed). Answers: OK, or CHANGED.
local meta = KEYS[1]
local held = redis.call('HMGET', meta, 'gen', 'ver')
if (held[1] or '') ~= ARGV[1] or (held[2] or '') ~= ARGV[2] then return { 'CHANGED' } end
redis.call('UNLINK', meta)
redis.call('HSET', meta, 'gen', ARGV[3], 'ver', ARGV[4], 'created_ms', ARGV[5], 'rates', ARGV[6])
if ARGV[7] ~= '' then redis.call('HSET', meta, 'boundary', ARGV[7]) end
redis.call('HSET', meta, 'commits', 0) -- a transaction, as every commit is one
return { 'OK' }
