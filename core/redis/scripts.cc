#include "redis/scripts.h"

namespace tickwire::redis {
namespace {

// ARGV: the process that the connection is to, then what is to be done, then what that needs. A token tells
// one history of one process: the replication id changes when it becomes a primary.
constexpr char kCommon[] = R"lua(
local META, LOG, IMG, RIGHT, SEED, NODES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local function whole() return redis.call('EXISTS', META, LOG, IMG) == 3 end
local function token()
  return ARGV[1] .. ':' .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
end
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function text(number) return string.format('%.0f', number) end
local function add(epoch, nonce, node, batch, records)
  local m = redis.call('HMGET', META, 'n', 'chain', 'ts')
  local n = text(m[1] + 1)
  local ts = text(math.max(tonumber(m[3]), now()))
  redis.call('XADD', LOG, n, 'e', epoch, 'p', m[2], 'c', nonce, 'o', node, 'i', batch, 't', ts, 'b', records)
  redis.call('HSET', META, 'n', n, 'chain', nonce, 'epoch', epoch, 'ts', ts)
end
)lua";

constexpr char kAppendText[] = R"lua(
local epoch, node, no, nonce, records = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not whole() then return 'fenced' end
local m = redis.call('HMGET', META, 'token', 'epoch', 'b:' .. node)
if m[1] ~= token() or m[2] ~= epoch then return 'fenced' end
if not m[3] then return 'gone' end
if tonumber(no) <= tonumber(m[3]) then return 'done' end
add(epoch, nonce, node, no, records)
redis.call('HSET', META, 'b:' .. node, no)
return 'done'
)lua";

constexpr char kKeepText[] = R"lua(
local act = {}
local function heard(node)
  if redis.call('HEXISTS', META, 'b:' .. node) == 1 then redis.call('ZADD', NODES, now(), node) end
end
local function writes(right)
  return whole() and redis.call('HGET', META, 'token') == token()
    and string.match(redis.call('GET', RIGHT) or '', '^%S*') == right
end

function act.state(node)
  if not whole() then return {'empty'} end
  heard(node)
  local m = redis.call('HMGET', META, 'n', 'chain', 'epoch', 'ts', 'b:' .. node)
  return {redis.call('HGET', IMG, ''), m[1], m[2], m[3], m[4], m[5]}
end
function act.hello(node, joins, epoch, nonce, gone_ms)
  if not whole() then return {'empty'} end
  if redis.call('HGET', META, 'token') ~= token() then
    add(epoch, nonce, '', 0, '')
    redis.call('HSET', META, 'token', token())
    redis.call('DEL', RIGHT)
  end
  if joins == '1' then
    for _, old in ipairs(redis.call('ZRANGEBYSCORE', NODES, '-inf', now() - gone_ms)) do
      redis.call('HDEL', META, 'b:' .. old)
      redis.call('ZREM', NODES, old)
    end
    redis.call('HSETNX', META, 'b:' .. node, 0)
  end
  return act.state(node)
end
function act.begin(right, node, epoch, n, ms)
  if not whole() then return 0 end
  heard(node)
  local holder = redis.call('GET', RIGHT)
  if holder and string.match(holder, ' (.*)$') ~= node then return 0 end
  local m = redis.call('HMGET', META, 'token', 'epoch', 'wn')
  if m[1] ~= token() or m[2] ~= epoch or tonumber(n) < tonumber(m[3]) then return 0 end
  redis.call('SET', RIGHT, right .. ' ' .. node, 'PX', ms)
  return 1
end
function act.write(right, ms, ...)
  if not writes(right) then return 0 end
  if ... then redis.call('HSET', IMG, ...) end
  redis.call('PEXPIRE', RIGHT, ms)
  return 1
end
act['end'] = function(right, n, chain, epoch, ts, trim)
  if not writes(right) then return 0 end
  if tonumber(n) < tonumber(redis.call('HGET', META, 'wn')) then return 0 end
  redis.call('HSET', META, 'wn', n, 'wchain', chain, 'wepoch', epoch, 'wts', ts)
  redis.call('XTRIM', LOG, 'MINID', text(math.min(tonumber(trim), tonumber(n)) + 1))
  return 1
end
function act.claim(attempt, ms)
  if whole() or not redis.call('SET', SEED, attempt, 'NX', 'PX', ms) then return 0 end
  redis.call('DEL', META, LOG, IMG, RIGHT, NODES)
  return 1
end
function act.seed(attempt, ms, ...)
  if whole() or redis.call('GET', SEED) ~= attempt then return 0 end
  if ... then redis.call('HSET', IMG, ...) end
  redis.call('PEXPIRE', SEED, ms)
  return 1
end
function act.open(attempt, n, chain, epoch, ts, next_epoch, nonce, format)
  if whole() or redis.call('GET', SEED) ~= attempt then return 0 end
  redis.call('HSET', IMG, '', format)
  redis.call('HSET', META, 'token', token(), 'n', n, 'chain', chain, 'epoch', epoch, 'ts', ts,
    'wn', n, 'wchain', chain, 'wepoch', epoch, 'wts', ts)
  add(next_epoch, nonce, '', 0, '')
  redis.call('DEL', SEED)
  return 1
end
return act[ARGV[2]](unpack(ARGV, 3))
)lua";

}  // namespace

const std::vector<std::string>& scripts() {
  static const std::vector<std::string> kScripts{
      std::string("#!lua") + kCommon + kAppendText,
      std::string("#!lua flags=allow-oom") + kCommon + kKeepText,
  };
  return kScripts;
}

}  // namespace tickwire::redis
