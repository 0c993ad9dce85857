/**
 * The cache protocol as Lua, so that each step is atomic. A session has two keys, of which one exists
 * at a time at most:
 *
 * - its *value*: the epoch that was current when its row was read, a space, the session as JSON.
 *   Readers just get it.
 * - its *guard*: who may put a value there. A hash with these fields:
 *
 * | field    | meaning |
 * |----------|---------|
 * | `l`      | the lease of a reader that missed: only it may fill, and only while this is here |
 * | `f:<id>` | a fence: a writer is about to change the row, so nothing may be served or filled |
 * | `dirty`  | writers overlapped; none of them can tell whether it was the last to commit |
 *
 * A fence removes value and lease, so no fill that read the row before the write survives it, however
 * late it is executed: by a paused server, say, after minutes. All times to live are relative and
 * count on the server's own clock, so no clock of an app node matters. (Leases as in Nishtala et
 * al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
 *
 * KEYS of every script: value, guard.
 */
import { createHash } from "node:crypto";

export interface Script {
  readonly sha1: string;
  readonly lua: string;
}

function script(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/** ARGV: lowest epoch to serve, lease, lease ms. Replies 1 when it was granted. */
export const LEASE = script(`
local v = redis.call('GET', KEYS[1])
if v then
  if tonumber(string.match(v, '^%d+')) >= tonumber(ARGV[1]) then return 0 end
  redis.call('DEL', KEYS[1])
end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], 'l', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`);

/** ARGV: lease, value, ms to live. Replies 1 when it was stored. */
export const FILL = script(`
if redis.call('HGET', KEYS[2], 'l') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`);

/** ARGV: fence, fence ms. Always replies 1. */
export const FENCE = script(`
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], 'l')
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'dirty', 1) end
redis.call('HSET', KEYS[2], 'f:' .. ARGV[1], 1)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`);

/**
 * ARGV: fence[, value, ms to live]. Replies 1 when the fence stood until now, which proves that
 * nothing older than the write was served or filled meanwhile.
 */
export const RELEASE = script(`
if redis.call('HDEL', KEYS[2], 'f:' .. ARGV[1]) == 0 then return 0 end
local left = redis.call('HKEYS', KEYS[2])
if #left == 1 and left[1] == 'dirty' then
  redis.call('DEL', KEYS[2])
elseif #left == 0 and ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1`);

/** ARGV: [value, ms to live]; without them the session is gone. */
export const STORE = script(`
redis.call('DEL', KEYS[1], KEYS[2])
if ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1`);
