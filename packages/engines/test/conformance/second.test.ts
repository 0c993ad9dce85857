import { describeShare } from "./share.ts";

await describeShare(1);
