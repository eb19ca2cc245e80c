import classes from "~/ui/run-color.module.css";
import { type RunLook, colorOf } from "~/ui/run-colors";

const SIZE = 10;
const STROKE = 3;

/** The mark of a run beside its name. */
export function RunColor({ id, look = { color: colorOf(id), isDashed: false } }: { id: string; look?: RunLook | undefined }) {
  const ring = { r: (SIZE - STROKE) / 2, fill: "none", stroke: look.color, strokeWidth: STROKE };
  const disc = { r: SIZE / 2, fill: look.color };
  return (
    <svg className={classes.color} width={SIZE} height={SIZE} aria-hidden="true" data-run={id}>
      <circle cx={SIZE / 2} cy={SIZE / 2} {...(look.isDashed ? ring : disc)} />
    </svg>
  );
}
