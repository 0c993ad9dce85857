export { kit } from "../postgres/kit.ts";
