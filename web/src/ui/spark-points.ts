const MARGIN = 2;

/** The points of an SVG polyline over the whole of that many pixels; the largest value is on top. */
export function sparkPoints(values: readonly number[], width: number, height: number): string {
  const lowest = Math.min(...values);
  const span = Math.max(...values) - lowest || 1;
  const across = (width - 2 * MARGIN) / Math.max(values.length - 1, 1);
  const up = (height - 2 * MARGIN) / span;
  return values.map((value, index) => `${shown(MARGIN + index * across)},${shown(height - MARGIN - (value - lowest) * up)}`).join(" ");
}

function shown(pixels: number): string {
  return pixels.toFixed(1);
}
