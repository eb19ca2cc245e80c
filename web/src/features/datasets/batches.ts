/** Which of the chosen files are sent together: a cut connection costs one batch, and no picture goes without its caption. */

/** A file, and what it is called in the upload: with its folders where a folder was dropped. */
export interface Chosen {
  path: string;
  file: File;
}

export interface BatchLimits {
  files: number;
  bytes: number;
}

export const BATCH_LIMITS: BatchLimits = { files: 32, bytes: 16 * 1024 ** 2 };

/** In the order of the names, in which the server numbers what comes in one upload. */
export function inOrder(files: readonly Chosen[]): Chosen[] {
  return [...files].sort((one, other) => (one.path < other.path ? -1 : Number(one.path > other.path)));
}

/** The first of `left` that fit, or the first alone where it does not fit; a zip always goes alone. */
export function nextBatch(left: readonly Chosen[], limits = BATCH_LIMITS): Chosen[] {
  const batch: Chosen[] = [];
  for (const together of groups(left)) {
    const isFull = batch.length + together.length > limits.files || bytesOf([...batch, ...together]) > limits.bytes;
    if (batch.length > 0 && (isFull || isZip(together[0]))) break;
    batch.push(...together);
    if (isZip(batch[0])) break;
  }
  return batch;
}

export function bytesOf(files: readonly Chosen[]): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** What a picture and its caption share. */
export function stemOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("."), 0));
}

export function isCaption({ path }: Chosen): boolean {
  return path.toLowerCase().endsWith(".txt");
}

function isZip(chosen: Chosen | undefined): boolean {
  return chosen?.path.toLowerCase().endsWith(".zip") ?? false;
}

function groups(files: readonly Chosen[]): Iterable<Chosen[]> {
  const found = new Map<string, Chosen[]>();
  for (const each of files) {
    const key = isZip(each) ? each.path : stemOf(each.path);
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return found.values();
}
