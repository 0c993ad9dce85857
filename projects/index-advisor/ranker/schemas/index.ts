import { articles } from "./articles.ts";
import { readings } from "./readings.ts";
import type { Schema } from "./schema.ts";
import { shop } from "./shop.ts";

export const schemas: readonly Schema[] = [shop, articles, readings];
