/**
 * All that Redis is ever asked. The head is a hash: `n`, the position, and `gen`, the position at
 * which the present generation of keys began. Sessions lie under `<head>:<gen>:<hash>`: those of
 * earlier generations are out of reach and run out. (Such keys can't be declared beforehand, so a
 * Redis Cluster would need a hash tag around the head's name.)
 */
import { createHash } from "node:crypto";
import type { Script } from "../../src/redis/scripts.ts";

function script(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

/** ARGV: hash. Replies: nothing; or the position, and the session if it is there. */
export const READ = script(`
local n, gen = unpack(redis.call('HMGET', KEYS[1], 'n', 'gen'))
if not n then return false end
return {n, redis.call('GET', KEYS[1] .. ':' .. gen .. ':' .. ARGV[1])}`);

/**
 * ARGV: position expected, position after, then hash, session or '', ms to live, for each session.
 * Replies 0 when it came too late. The head moves last: should Redis run out of memory half-way,
 * it has only become newer than it says.
 */
export const ADVANCE = script(`
local n, gen = unpack(redis.call('HMGET', KEYS[1], 'n', 'gen'))
if n and tonumber(n) >= tonumber(ARGV[2]) then return 0 end
if n ~= ARGV[1] then gen = ARGV[2] end
for i = 3, #ARGV, 3 do
  local key = KEYS[1] .. ':' .. gen .. ':' .. ARGV[i]
  if ARGV[i + 1] == '' then redis.call('DEL', key)
  else redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[i + 2]) end
end
redis.call('HSET', KEYS[1], 'n', ARGV[2], 'gen', gen)
return 1`);
