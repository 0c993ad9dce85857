export { kit } from "../../../../src/definitions/redis/kit.ts";
