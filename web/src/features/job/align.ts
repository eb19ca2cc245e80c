/** Curves of several jobs over one axis; where a job measured nothing its line goes on. */
import type { MetricOut } from "~/api/generated";
import type { Column } from "~/features/job/curves";

export interface PlacedCurve {
  /** Where on the axis each value stands, in order. */
  at: readonly number[];
  columns: readonly Column[];
}

export interface AlignedCurves {
  positions: number[];
  /** Of each curve. */
  columns: Column[][];
}

/** No value is lost where a curve has several at one place, as it may have at one time. */
export function alignCurves(curves: readonly PlacedCurve[]): AlignedCurves {
  const entries = curves.flatMap(({ at }, curve) => at.map((position, index) => ({ position, curve, index })));
  const positions: number[] = [];
  const rows: (number | undefined)[][] = [];
  for (const { position, curve, index } of entries.sort((a, b) => a.position - b.position)) {
    let row = positions.at(-1) === position ? rows.at(-1) : undefined;
    if (row === undefined || row[curve] !== undefined) {
      positions.push(position);
      rows.push((row = []));
    }
    row[curve] = index;
  }
  const aligned = (column: Column, curve: number) =>
    rows.map((row) => {
      const index = row[curve];
      return index === undefined ? undefined : column[index];
    });
  return { positions, columns: curves.map(({ columns }, curve) => columns.map((column) => aligned(column, curve))) };
}

/** What stands of a curve of several attempts: of a step that was trained again, the last time. */
export function standing(curve: readonly MetricOut[]): MetricOut[] {
  return [...new Map(curve.map((metric) => [metric.step, metric])).values()].sort((a, b) => a.step - b.step);
}
