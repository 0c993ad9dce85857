/** A shape as it is drawn, with all that is in it. */
import type { Shape } from "../../../contract.ts";
import { between, FONT_SIZE, LINE_HEIGHT, sizeOf } from "../geometry.ts";

/** How far from a line a click still meets it, in units of the board. */
const REACH = 14;

export function ShapeMark({ shape }: { readonly shape: Shape }) {
  if (shape.type !== "group") return <Body shape={shape} />;
  return (
    <g transform={`translate(${shape.x} ${shape.y})`}>
      {shape.children.map((child) => (
        <g key={child.id} data-shape={child.id}>
          <ShapeMark shape={child} />
        </g>
      ))}
    </g>
  );
}

function Body({ shape }: { readonly shape: Shape }) {
  const { type, x, y, width, height, color, text } = shape;
  const box = between({ x, y }, { x: x + width, y: y + height });
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  switch (type) {
    case "rectangle":
      return (
        <>
          <rect {...box} rx={4} class="outline" stroke={color} fill={color} />
          <Lines text={text} {...middle} />
        </>
      );
    case "ellipse":
      return (
        <>
          <ellipse
            cx={middle.x}
            cy={middle.y}
            rx={box.width / 2}
            ry={box.height / 2}
            class="outline"
            stroke={color}
            fill={color}
          />
          <Lines text={text} {...middle} />
        </>
      );
    case "line": {
      const ends = { x1: x, y1: y, x2: x + width, y2: y + height };
      return (
        <>
          <line {...ends} stroke="transparent" stroke-width={REACH} />
          <line {...ends} stroke={color} stroke-width={3} stroke-linecap="round" />
          <Lines text={text} {...middle} />
        </>
      );
    }
    default: {
      const size = sizeOf(text);
      return (
        <>
          <rect x={x} y={y} {...size} fill="transparent" class={text ? "" : "empty"} />
          <Lines text={text} x={x} y={y + size.height / 2} color={color} anchor="start" />
        </>
      );
    }
  }
}

interface LinesProps {
  readonly text: string;
  readonly x: number;
  /** Of the middle of all lines. */
  readonly y: number;
  readonly color?: string;
  readonly anchor?: "start" | "middle";
}

function Lines({ text, x, y, color = "#1f2430", anchor = "middle" }: LinesProps) {
  if (!text) return null;
  const lines = text.split("\n");
  const top = y - ((lines.length - 1) * LINE_HEIGHT) / 2;
  return (
    <text fill={color} font-size={FONT_SIZE} text-anchor={anchor} dominant-baseline="central">
      {lines.map((line, i) => (
        // Lines have no other name than where they are.
        <tspan key={i} x={x} y={top + i * LINE_HEIGHT}>
          {line}
        </tspan>
      ))}
    </text>
  );
}
