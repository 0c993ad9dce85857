import fc from "fast-check";
import { expect, test } from "vitest";
import { readdress } from "../src/definitions/kafka/addresses.ts";

const [server, proxy] = [19_092, 40_001];

function address(port: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(port);
  return Buffer.concat([Buffer.from("127.0.0.1"), bytes]);
}

function frame(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** What a reply may be made of: other bytes, the server's address, and what begins like it. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(address(server)),
  fc.constant(address(server + 1)),
  fc.nat({ max: 12 }).map((length) => address(server).subarray(0, length)),
);
const frames = fc.array(
  fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces)),
  { minLength: 1, maxLength: 5 },
);

/** The obvious way, with everything at hand. */
function expected(content: Buffer): Buffer {
  const text = content.toString("latin1");
  const [from, to] = [server, proxy].map((port) => address(port).toString("latin1"));
  return Buffer.from(text.replaceAll(from ?? "", to ?? ""), "latin1");
}

test("however TCP cuts the replies, addresses in them are the proxy's, and nothing else is changed", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 7 })), (contents, cuts) => {
      const sent = Buffer.concat(contents.map(frame));
      const translate = readdress(server, proxy);
      const received: Buffer[] = [];
      let at = 0;
      for (const length of cuts) {
        received.push(translate(Buffer.from(sent.subarray(at, at + length + 1))));
        at += length + 1;
      }
      received.push(translate(Buffer.from(sent.subarray(at))));
      expect(Buffer.concat(received)).toEqual(
        Buffer.concat(contents.map((content) => frame(expected(content)))),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("nothing of a complete message is kept back", () => {
  fc.assert(
    fc.property(frames, (contents) => {
      const translate = readdress(server, proxy);
      for (const content of contents) {
        const whole = frame(content);
        expect(translate(Buffer.from(whole)).length).toBe(whole.length);
      }
    }),
  );
});
