/**
 * The cache protocol as Lua, so that each step is atomic. Per session there is one hash key:
 *
 * | field     | meaning |
 * |-----------|---------|
 * | `v`, `e`  | the session as JSON, and the epoch that was current when its row was read |
 * | `l`       | the lease of a reader that missed: only it may fill, and only while this is here |
 * | `f:<id>`  | a fence: a writer is about to change the row, so nothing may be served or filled |
 * | `dirty`   | writers overlapped; none of them can tell whether it was the last to commit |
 *
 * A fence removes value and lease, so no fill that read the row before the write survives it, however
 * late it is executed: by a paused server, say, after minutes. All times to live are relative and
 * count on the server's own clock, so no clock of an app node matters. (Leases as in Nishtala et
 * al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
 */
import { createHash } from "node:crypto";

export interface Script {
  readonly sha1: string;
  readonly lua: string;
}

function script(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/**
 * KEYS: sessions to read. ARGV: lowest epoch to serve, lease, lease ms. Replies, for each of them: the
 * value; 1, leased; 0, don't fill.
 */
export const READ = script(`
local replies = {}
for i, key in ipairs(KEYS) do
  local v = redis.call('HMGET', key, 'v', 'e')
  if v[1] and tonumber(v[2]) >= tonumber(ARGV[1]) then
    replies[i] = v[1]
  else
    if v[1] then redis.call('DEL', key) end
    replies[i] = 1 - redis.call('EXISTS', key)
    if replies[i] == 1 then
      redis.call('HSET', key, 'l', ARGV[2])
      redis.call('PEXPIRE', key, ARGV[3])
    end
  end
end
return replies`);

/** Replies: the lease that is there, if any. */
export const LEASED = script(`return redis.call('HGET', KEYS[1], 'l')`);

/** ARGV: value, epoch, ms to live. */
export const FILL = script(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/** ARGV: fence, fence ms. Always replies 1. */
export const FENCE = script(`
redis.call('HDEL', KEYS[1], 'v', 'e', 'l')
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'dirty', 1) end
redis.call('HSET', KEYS[1], 'f:' .. ARGV[1], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/**
 * ARGV: fence[, value, epoch, ms to live]. Replies 1 when the fence stood until now, which proves
 * that nothing older than the write was served or filled meanwhile.
 */
export const RELEASE = script(`
if redis.call('HDEL', KEYS[1], 'f:' .. ARGV[1]) == 0 then return 0 end
local left = redis.call('HKEYS', KEYS[1])
if #left == 1 and left[1] == 'dirty' then
  redis.call('DEL', KEYS[1])
elseif #left == 0 and ARGV[2] then
  redis.call('HSET', KEYS[1], 'v', ARGV[2], 'e', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1`);
