import { sparkPoints } from "~/ui/spark-points";
import classes from "~/ui/sparkline.module.css";

const WIDTH = 96;
const HEIGHT = 24;

/** A curve without figures; what it says stands in text beside it. */
export function Sparkline({ values, color }: { values: readonly number[]; color: string }) {
  return (
    <svg className={classes.sparkline} width={WIDTH} height={HEIGHT} aria-hidden="true" data-spark={values.length}>
      <polyline points={sparkPoints(values, WIDTH, HEIGHT)} stroke={color} />
    </svg>
  );
}
