import { html, type Markup } from "@db-katas/grading";
import type { StatementDetail } from "../advise.ts";
import { formatCount, formatMs } from "../cli/units.ts";
import { compared, type PlanNode } from "./plan.ts";

/** An estimate that is so many times off often is why a plan is bad. */
const FAR_OFF = 10;

/** Side by side where there is room. */
export function plansOf({ planBefore, planAfter }: StatementDetail): Markup {
  const [before, after] = compared(planBefore, planAfter);
  return html`<div class="plans">${column("Before", before)}${column("After", after)}</div>`;
}

function column(title: string, plan: PlanNode | undefined): Markup {
  return html`<div><h3 class="dim">${title}</h3>${
    plan ? html`<ul class="plan">${item(plan)}</ul>` : html`<p class="dim">no plan was kept</p>`
  }</div>`;
}

function item(node: PlanNode): Markup {
  const { title, details, changed, children } = node;
  return html`<li><div class="node${changed ? " changed" : ""}">${title}
<small>${figuresOf(node)}</small>${details.map((each) => html`<small>${each}</small>`)}</div>${
    children.length > 0 ? html`<ul>${children.map(item)}</ul>` : undefined
  }</li>\n`;
}

function figuresOf({ ownMs, rows, estimatedRows, loops, blocks }: PlanNode): (Markup | string)[] {
  const told: (Markup | string)[] = [];
  if (ownMs !== undefined) told.push(`${formatMs(ownMs)} here`);
  if (rows === undefined) told.push(`${formatCount(estimatedRows)} rows expected`);
  else {
    const ratio = Math.max(rows, 1) / Math.max(estimatedRows, 1);
    const off = ratio >= FAR_OFF || ratio <= 1 / FAR_OFF;
    const times = loops > 1 ? ` × ${formatCount(loops)}` : "";
    told.push(`${formatCount(rows)}${times} rows`);
    if (off) told.push(html`<b class="bad">${formatCount(estimatedRows)} expected</b>`);
  }
  if (blocks !== undefined) told.push(`${formatCount(blocks)} pages`);
  return told.flatMap((each, i) => (i === 0 ? [each] : [" · ", each]));
}
