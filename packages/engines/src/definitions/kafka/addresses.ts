import type { Readdress } from "../../readdress.ts";

/** What brokers of ours call themselves; clients get it with a port of four bytes behind it. */
export const advertisedHost = "127.0.0.1";

/**
 * Replies are frames of a length and that many bytes. In whatever version, an address is its host's
 * text and then its port (protocol guide, Metadata, FindCoordinator and DescribeCluster responses),
 * so that it can be found without knowing which request is answered.
 */
export const readdress: Readdress = (serverPort, proxyPort) => {
  const [sought, wanted] = [addressOf(serverPort), addressOf(proxyPort)];
  let kept: Buffer = Buffer.alloc(0);
  /** How much of the frame under way has not gone on yet. */
  let missing = 0;

  return (reply) => {
    const bytes = Buffer.concat([kept, reply]);
    let at = 0;
    let keep = 0;
    while (at < bytes.length && keep === 0) {
      if (missing === 0 && bytes.length - at < 4) {
        keep = bytes.length - at;
        break;
      }
      if (missing === 0) missing = 4 + bytes.readInt32BE(at);
      const part = bytes.subarray(at, at + missing);
      for (let found = part.indexOf(sought); found >= 0; found = part.indexOf(sought, found + 1))
        wanted.copy(part, found);
      if (part.length < missing) keep = beginning(part, sought);
      missing -= part.length - keep;
      at += part.length;
    }
    kept = bytes.subarray(bytes.length - keep);
    return bytes.subarray(0, bytes.length - keep);
  };
};

function addressOf(port: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(port);
  return Buffer.concat([Buffer.from(advertisedHost), bytes]);
}

/** How many bytes at the end of some may be the beginning of what is sought. */
function beginning(bytes: Buffer, sought: Buffer): number {
  for (let length = Math.min(bytes.length, sought.length - 1); length > 0; length -= 1)
    if (bytes.subarray(bytes.length - length).equals(sought.subarray(0, length))) return length;
  return 0;
}
