#!lua flags=no-cluster
-- Removes keys of older generations. The generation is compared in the same step: a sweeper that was asleep while
-- Redis went back to an older copy must not remove what is alive again.
--
-- KEYS[1] is live:meta, the others are removed; ARGV: the generation the sweeper believes in. Answers: OK, or CHANGED.
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return { 'CHANGED' } end
if #KEYS > 1 then redis.call('UNLINK', unpack(KEYS, 2)) end
return { 'OK' }
