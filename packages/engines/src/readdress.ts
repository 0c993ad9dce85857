/**
 * For engines whose servers tell clients where to connect: makes such addresses in one connection's
 * replies the proxy's, or clients would go around it after their first question. Sees every byte in
 * order, never keeps one back beyond the end of a message, and changes no length.
 */
export type Readdress = (serverPort: number, proxyPort: number) => (reply: Buffer) => Buffer;
