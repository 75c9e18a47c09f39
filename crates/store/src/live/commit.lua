#!lua flags=no-cluster
-- Applies a batch of the live flow, all of it or nothing (docs: reliability 5.3).
--
-- KEYS[1] is live:meta. Every other key begins with the generation's prefix; those that depend on a product's category
-- are known only here, so they cannot be declared (one primary, no cluster: condition C6, flag no-cluster).
--
-- A failing command would leave earlier writes in place, so nothing is written before everything has been read,
-- computed and checked: sums are read into `cells`, changed there, checked, and written at the end. Numbers are whole
-- and below 2^53 in size, so that Lua's doubles are exact; a larger one refuses the batch.
--
-- ARGV, as a flat list; "*" is a count followed by that many entries:
--   generation, version, prefix, boundary ("" = no day is sealed)
--   partitions*: name, epoch, base, next
--   (an idle check ends here)
--   newest commit time in ms, oldest recent day, changes of sealed days
--   states*: key, fields*: field, digest the deltas were computed from ("" = absent), new value ("" = remove)
--   sums*: key, expiry ("" = none), fields*: field, delta, "1" if it must not end below zero
--   members*: key, counter key, members*: member, delta, counter field
--   amounts*: hash, sorted set, expiry, amounts*: amount, delta
--   recent days*: day, expiry
--   categories*: product, category
--   products*: place, products*: product, cents, units, lines; a place is a day, or a day and ":" and a store
--   buyers*: day, members*: product, buyer, delta
--   oldest moment, moments*: sorted set, members*: member, score ("" = remove)
--   tape*: entry
--
-- Answers, the first that holds (the truth table of core::checkpoint::Answer, for each partition):
--   REFUSED, then name, EMPTY | FENCED | BEHIND | DUPLICATE | OVERLAP, value for each partition that is not clean
--   BOUNDARY, day: the batch was computed for another boundary
--   CONFLICT, key, field: a state is not the one the deltas were computed from
--   OK
local call, sub = redis.call, string.sub
local MAX = 9007199254740991
local CHUNK = 1000
local DIGEST = 11

local n = 0
local function take()
  n = n + 1
  return ARGV[n]
end
local function count()
  n = n + 1
  return tonumber(ARGV[n])
end

local function broken(problem)
  error({ err = 'BROKEN ' .. problem })
end

-- 1 generation, version, epochs and checkpoints

local function less(a, b) -- of two numbers as text without sign, of any size
  if #a ~= #b then return #a < #b end
  return a < b
end

local meta = KEYS[1]
local gen, ver, prefix, boundary = take(), take(), take(), take()
local parts = {}
for i = 1, count() do parts[i] = { take(), take(), take(), take() } end
local held = call('HMGET', meta, 'gen', 'ver', 'boundary')
local refused = {}
for _, part in ipairs(parts) do
  local name, epoch, base, upto = part[1], part[2], part[3], part[4]
  local ep, at = false, false
  if held[1] == gen and held[2] == ver then
    local got = call('HMGET', meta, 'epoch:' .. name, 'at:' .. name)
    ep, at = got[1], got[2]
  end
  local answer, value
  if not ep or not at then answer, value = 'EMPTY', ''
  elseif less(epoch, ep) then answer, value = 'FENCED', ep
  elseif at ~= base then
    value = at
    if less(at, base) then answer = 'BEHIND'
    elseif not less(at, upto) then answer = 'DUPLICATE'
    else answer = 'OVERLAP' end
  end
  if answer then
    refused[#refused + 1] = name
    refused[#refused + 1] = answer
    refused[#refused + 1] = value
  end
end
if #parts == 0 and (held[1] ~= gen or held[2] ~= ver) then return { 'REFUSED' } end -- work without partitions
if #refused > 0 then return { 'REFUSED', unpack(refused) } end
if (held[3] or '') ~= boundary then return { 'BOUNDARY', held[3] or '' } end
if n == #ARGV then return { 'OK' } end

-- 2 every state about to be replaced is still the one the deltas were computed from

local function hmget(key, fields)
  local all = #fields
  if all <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local got = {}
  for from = 1, all, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, all)))
    for i = 1, #some do got[from + i - 1] = some[i] end
  end
  return got
end

local as_of, oldest, late = take(), take(), count()
local states = {}
for g = 1, count() do
  local key, size = take(), count()
  local fields = {}
  for i = 1, size do fields[i] = ARGV[n + 3 * i - 2] end
  local got = hmget(key, fields)
  for i = 1, size do
    local value = got[i]
    if (value and sub(value, 1, DIGEST) or '') ~= ARGV[n + 3 * i - 1] then
      return { 'CONFLICT', key, fields[i] }
    end
  end
  states[g] = { key, size, n }
  n = n + 3 * size
end

-- 3 sums as they will be

local cells = {}   -- key -> field -> number
local floors = {}  -- key -> fields that must not end below zero
local expiries = {} -- key -> seconds since the epoch

local function number(text, key, field)
  if not text then return 0 end
  local value = string.match(text, '^%-?%d+$') and tonumber(text)
  if not value or value > MAX or value < -MAX then
    broken('the number ' .. text .. ' in ' .. key .. ' ' .. field .. ' is out of range')
  end
  return value
end

local function cell(key, field)
  local of_key = cells[key]
  if not of_key then
    of_key = {}
    cells[key] = of_key
  end
  local value = of_key[field]
  if not value then
    value = number(call('HGET', key, field), key, field)
    of_key[field] = value
  end
  return value, of_key
end

local function fetch(key, fields) -- the same as `cell` for many fields, in one command
  local of_key = cells[key]
  if not of_key then
    of_key = {}
    cells[key] = of_key
  end
  local missing = {}
  for _, field in ipairs(fields) do
    if not of_key[field] then missing[#missing + 1] = field end
  end
  if #missing == 0 then return end
  local got = hmget(key, missing)
  for i, field in ipairs(missing) do of_key[field] = number(got[i], key, field) end
end

local function add(key, field, delta)
  local value, of_key = cell(key, field)
  value = value + delta
  if value > MAX or value < -MAX then broken('the sum ' .. key .. ' ' .. field .. ' leaves the exact range') end
  of_key[field] = value
  return value
end

local function not_below_zero(key, field)
  local of_key = floors[key]
  if not of_key then
    of_key = {}
    floors[key] = of_key
  end
  of_key[#of_key + 1] = field
end

-- A reference count of a recent key. It stops at zero instead of refusing: two workers with different clocks may
-- disagree on whether a dying bucket still takes the last correction. Gives what it was and what it is.
local function refer(key, field, delta)
  local before, of_key = cell(key, field)
  local after = math.max(before + delta, 0)
  of_key[field] = after
  return before, after
end

for _ = 1, count() do -- sums
  local key, expiry, size = take(), take(), count()
  local fields = {}
  for i = 1, size do fields[i] = ARGV[n + 3 * i - 2] end
  fetch(key, fields)
  for i = 1, size do
    local field = fields[i]
    add(key, field, number(ARGV[n + 3 * i - 1], key, field))
    if ARGV[n + 3 * i] == '1' then not_below_zero(key, field) end
  end
  n = n + 3 * size
  if expiry ~= '' then expiries[key] = expiry end
end

for _ = 1, count() do -- members behind distinct counts
  local key, counter, size = take(), take(), count()
  local members = {}
  for i = 1, size do members[i] = ARGV[n + 3 * i - 2] end
  fetch(key, members)
  for i = 1, size do
    local member, field = members[i], ARGV[n + 3 * i]
    local before = cell(key, member)
    local after = add(key, member, number(ARGV[n + 3 * i - 1], key, member))
    not_below_zero(key, member)
    if before <= 0 and after > 0 then
      add(counter, field, 1)
    elseif before > 0 and after <= 0 then
      add(counter, field, -1)
      not_below_zero(counter, field)
    end
  end
  n = n + 3 * size
end

local ranked, unranked = {}, {} -- sorted set -> score and member, ... | member, ...
local function rank(set, score, member)
  local list = score and ranked or unranked
  local of_set = list[set]
  if not of_set then
    call('ZCARD', set) -- fails here, before the first write, if the key is no sorted set
    of_set = {}
    list[set] = of_set
  end
  if score then of_set[#of_set + 1] = score end
  of_set[#of_set + 1] = member
end

for _ = 1, count() do -- amounts behind the largest and the smallest order
  local key, set, expiry, size = take(), take(), take(), count()
  local amounts = {}
  for i = 1, size do amounts[i] = ARGV[n + 2 * i - 1] end
  fetch(key, amounts)
  for i = 1, size do
    local amount = amounts[i]
    local before, after = refer(key, amount, number(ARGV[n + 2 * i], key, amount))
    if before == 0 and after > 0 then rank(set, amount, amount)
    elseif before > 0 and after == 0 then rank(set, nil, amount) end
  end
  n = n + 2 * size
  expiries[key], expiries[set] = expiry, expiry
end

local recent = {} -- day -> expiry
for _ = 1, count() do
  local day = take()
  recent[day] = take()
end

-- The category of a product is looked up now, not by the worker, so that order batches and product batches may come
-- in any order.
local categories = prefix .. 'categories'
local category_of, moved = {}, {}
local function category(product)
  if product == 'bare' then return 'unattributed' end
  local name = category_of[product]
  if not name then
    name = call('HGET', categories, product) or 'unclassified'
    category_of[product] = name
  end
  return name
end

local function book(day, name, cents, units, lines, products)
  local key = prefix .. 'category:' .. day
  if cents ~= 0 then add(key, 'rev|' .. name, cents) end
  if units ~= 0 then add(key, 'units|' .. name, units) end
  if lines ~= 0 then
    add(key, 'lines|' .. name, lines)
    not_below_zero(key, 'lines|' .. name)
  end
  if products ~= 0 then
    add(key, 'products|' .. name, products)
    not_below_zero(key, 'products|' .. name)
  end
end

local function expiry_of(place)
  return recent[sub(place, 1, 8)]
end

local function book_buyer(day, name, buyer, delta)
  local members, unique = prefix .. 'members:' .. day, prefix .. 'unique:' .. day
  local before, after = refer(members, buyer .. '|' .. name, delta)
  if before == 0 and after > 0 then refer(unique, name, 1)
  elseif before > 0 and after == 0 then refer(unique, name, -1) end
  expiries[members], expiries[unique] = recent[day], recent[day]
end

for _ = 1, count() do -- category changes: move what the product has gathered
  local product, new = take(), take()
  local old = category(product)
  if old ~= new then
    -- Past sales move with their product, those of sealed days when their totals are written again.
    if boundary ~= '' and call('HGET', categories, product) then late = late + 1 end
    for _, day in ipairs(call('HKEYS', prefix .. 'days:' .. product)) do -- a day, or a day of a store
      if sub(day, 1, 8) >= boundary then -- sealed days have no products
        local key = prefix .. 'product:' .. day
        local got = call('HMGET', key, product .. '|rev', product .. '|units', product .. '|lines')
        local cents, units = number(got[1], key, product), number(got[2], key, product)
        local lines = number(got[3], key, product)
        book(day, old, -cents, -units, -lines, -1)
        book(day, new, cents, units, lines, 1)
        if #day == 8 and day >= oldest then
          local buyers = call('HGETALL', prefix .. 'bought:' .. day .. ':' .. product)
          for i = 1, #buyers, 2 do
            local lines_of = number(buyers[i + 1], 'bought', buyers[i])
            book_buyer(day, old, buyers[i], -lines_of)
            book_buyer(day, new, buyers[i], lines_of)
          end
        end
      end
    end
    category_of[product] = new
    moved[#moved + 1] = product
    moved[#moved + 1] = new
  end
end

for _ = 1, count() do -- products
  local day, size = take(), count()
  local key, top = prefix .. 'product:' .. day, prefix .. 'top:' .. day
  local fields = {}
  for i = 1, size do
    local product = ARGV[n + 4 * i - 3]
    fields[3 * i - 2], fields[3 * i - 1], fields[3 * i] = product .. '|rev', product .. '|units', product .. '|lines'
  end
  fetch(key, fields)
  for i = 1, size do
    local product, at = ARGV[n + 4 * i - 3], n + 4 * i - 3
    local rev_field, units_field, lines_field = fields[3 * i - 2], fields[3 * i - 1], fields[3 * i]
    local cents, units = number(ARGV[at + 1], key, rev_field), number(ARGV[at + 2], key, units_field)
    local lines = number(ARGV[at + 3], key, lines_field)
    local sold = add(key, rev_field, cents)
    add(key, units_field, units)
    local before = cell(key, lines_field)
    local after = add(key, lines_field, lines)
    not_below_zero(key, lines_field)
    if lines ~= 0 then add(prefix .. 'days:' .. product, day, lines) end
    local is_product = product ~= 'bare' and product ~= 'none'
    local products = 0
    if before <= 0 and after > 0 then products = 1 elseif before > 0 and after <= 0 then products = -1 end
    book(day, category(product), cents, units, lines, is_product and products or 0)
    if is_product and sub(day, 1, 8) >= oldest then
      local member = string.rep('0', 20 - #product) .. product
      if after > 0 then rank(top, string.format('%.0f', -sold), member) else rank(top, nil, member) end
      expiries[top] = expiry_of(day)
    end
  end
  n = n + 4 * size
end

for _ = 1, count() do -- buyers by product, and so by category
  local day, size = take(), count()
  for _ = 1, size do
    local product, buyer, delta = take(), take(), take()
    local key = prefix .. 'bought:' .. day .. ':' .. product
    local before, after = refer(key, buyer, number(delta, key, buyer))
    book_buyer(day, category(product), buyer, after - before)
    expiries[key] = recent[day]
  end
end

local oldest_moment = take()
local moments = {} -- sorted set -> scores and members that come, members that go
for i = 1, count() do
  local key, size = take(), count()
  call('ZCARD', key) -- fails here, before the first write, if the key is no sorted set
  local come, go = {}, {}
  for _ = 1, size do
    local member, score = take(), take()
    if score == '' then
      go[#go + 1] = member
    else
      come[#come + 1] = score
      come[#come + 1] = member
    end
  end
  moments[i] = { key, come, go }
end

for key, fields in pairs(floors) do
  local of_key = cells[key]
  for _, field in ipairs(fields) do
    if of_key[field] < 0 then broken('the count ' .. key .. ' ' .. field .. ' would go below zero') end
  end
end

local tape = {}
for i = 1, count() do tape[i] = take() end
local tape_key = prefix .. 'tape'
if #tape > 0 then call('LLEN', tape_key) end -- fails here, before the first write, if the key is no list

-- 4 write; nothing below can fail

local function in_chunks(command, key, values)
  for from = 1, #values, CHUNK do
    call(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values)))
  end
end

for _, group in ipairs(states) do
  local key, size, at = group[1], group[2], group[3]
  local sets, gone = {}, {}
  for i = 1, size do
    local field, value = ARGV[at + 3 * i - 2], ARGV[at + 3 * i]
    if value == '' then
      gone[#gone + 1] = field
    else
      sets[#sets + 1] = field
      sets[#sets + 1] = value
    end
  end
  in_chunks('HSET', key, sets)
  in_chunks('HDEL', key, gone)
end
for key, of_key in pairs(cells) do -- sets before removals: a key that is never empty keeps its expiry
  local sets, gone = {}, {}
  for field, value in pairs(of_key) do
    if value == 0 then
      gone[#gone + 1] = field
    else
      sets[#sets + 1] = field
      sets[#sets + 1] = string.format('%.0f', value)
    end
  end
  in_chunks('HSET', key, sets)
  in_chunks('HDEL', key, gone)
end
for set, members in pairs(unranked) do in_chunks('ZREM', set, members) end
for set, members in pairs(ranked) do in_chunks('ZADD', set, members) end
for _, set in ipairs(moments) do
  in_chunks('ZREM', set[1], set[3])
  in_chunks('ZADD', set[1], set[2])
  call('ZREMRANGEBYSCORE', set[1], '-inf', '(' .. oldest_moment)
end
in_chunks('HSET', categories, moved)
for key, expiry in pairs(expiries) do call('EXPIREAT', key, expiry, 'NX') end
if #tape > 0 then
  call('LPUSH', tape_key, unpack(tape))
  call('LTRIM', tape_key, 0, 49)
end
local news = {}
for _, part in ipairs(parts) do
  news[#news + 1] = 'epoch:' .. part[1]
  news[#news + 1] = part[2]
  news[#news + 1] = 'at:' .. part[1]
  news[#news + 1] = part[4]
end
local known = call('HGET', meta, 'asof_ms')
if as_of ~= '' and (not known or less(known, as_of)) then
  news[#news + 1] = 'asof_ms'
  news[#news + 1] = as_of
end
in_chunks('HSET', meta, news)
-- A second write, so that every commit is a transaction in the append-only file, also one that only moves checkpoints: a
-- server that leaves out transactions when it starts (access.rs) then loses all of them, and no checkpoint without data.
call('HINCRBY', meta, 'commits', 1)
if late > 0 then call('HINCRBY', meta, 'late', string.format('%.0f', late)) end
return { 'OK' }
