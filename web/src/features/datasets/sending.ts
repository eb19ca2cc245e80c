/** An upload that goes on where it was: only what has not arrived is sent, however often it is begun. */
import { ApiError } from "~/api/errors";
import type { DatasetOut } from "~/api/generated";
import { BATCH_LIMITS, type Chosen, bytesOf, inOrder, isCaption, nextBatch, stemOf } from "~/features/datasets/batches";

const PAUSES_MS = [1000, 2000, 4000, 8000];
const REFUSED = [400, 413];
const PASSING = [0, 429, 502, 503, 504];

/** One request: a new dataset, or more for one that is there. */
export interface Delivery {
  dataset: DatasetOut | null;
  name: string;
  key: string; // under which the server makes one dataset, however often the request comes
  files: readonly Chosen[];
  onSent: (share: number) => void; // of the request, 0 to 1
}

export type Deliver = (delivery: Delivery) => Promise<DatasetOut>;

export interface Refusal {
  name: string;
  message: string;
}

export interface SendingState {
  batch: readonly Chosen[];
  batchShare: number;
  isWaiting: boolean; // for the next try, after one that was cut
  arrivedCount: number;
  doneBytes: number; // arrived, refused, or sent of the batch
  refusals: readonly Refusal[];
}

export class Sending {
  readonly files: readonly Chosen[];
  readonly totalBytes: number;
  private readonly arrived = new Set<Chosen>();
  private readonly refused = new Set<Chosen>();
  private refusals: readonly Refusal[] = [];
  private key = newKey();

  constructor(
    files: readonly Chosen[],
    private readonly deliver: Deliver,
    public dataset: DatasetOut | null = null,
    private readonly pausesMs: readonly number[] = PAUSES_MS,
    private readonly limits = BATCH_LIMITS,
  ) {
    this.files = inOrder(files);
    this.totalBytes = bytesOf(files);
  }

  /** Sends what is left. The dataset, or null when every file was refused; rejects with an ApiError and may be called again. */
  async run(name: string, onState: (state: SendingState) => void): Promise<DatasetOut | null> {
    for (;;) {
      const batch = nextBatch(this.left(), this.limits);
      if (batch.length === 0) break;
      await this.send(batch, name, onState);
    }
    onState(this.state([], 0));
    return this.dataset;
  }

  private left(): Chosen[] {
    return this.files.filter((each) => !this.arrived.has(each) && !this.refused.has(each));
  }

  private async send(batch: Chosen[], name: string, onState: (state: SendingState) => void): Promise<void> {
    const tell = (share: number, isWaiting = false) => onState(this.state(batch, share, isWaiting));
    const delivery = { dataset: this.dataset, name, key: this.key, files: batch, onSent: (share: number) => tell(share) };
    for (let tried = 0; ; tried++) {
      tell(0);
      try {
        this.dataset = await this.deliver(delivery);
        batch.forEach((each) => this.arrived.add(each));
        return;
      } catch (error) {
        if (isAboutFiles(error)) {
          this.refuse(batch, error);
          return;
        }
        const pause = isPassing(error) ? this.pausesMs[tried] : undefined;
        if (pause === undefined) throw error;
        tell(0, true);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Those that the server names, and captions that have no picture any more; all when it names none. */
  private refuse(batch: Chosen[], error: ApiError): void {
    const named = new Set(error.details.map((detail) => detail.field));
    const found = batch.filter(({ path }) => named.has(path));
    const pictures = batch.filter((each) => !found.includes(each) && !isCaption(each));
    const stems = new Set(pictures.map(({ path }) => stemOf(path)));
    const isGone = (each: Chosen) => found.includes(each) || !stems.has(stemOf(each.path));
    const gone = found.length > 0 ? batch.filter(isGone) : batch;
    gone.forEach((each) => this.refused.add(each));
    this.refusals = [...this.refusals, ...sentences(batch, error)];
    this.key = newKey(); // what is left of the batch is another upload
  }

  private state(batch: readonly Chosen[], batchShare: number, isWaiting = false): SendingState {
    const doneBytes = bytesOf([...this.arrived, ...this.refused]) + bytesOf(batch) * batchShare;
    return { batch, batchShare, isWaiting, arrivedCount: this.arrived.size, doneBytes, refusals: this.refusals };
  }
}

/** How much of each file of a batch has left, 0 to 1: they go one behind another. */
export function sharesOf(batch: readonly Chosen[], batchShare: number): number[] {
  let sent = bytesOf(batch) * batchShare;
  return batch.map(({ file }) => {
    const own = Math.min(sent, file.size);
    sent -= own;
    return file.size > 0 ? own / file.size : batchShare;
  });
}

function sentences(batch: readonly Chosen[], error: ApiError): Refusal[] {
  if (error.details.length > 0) return error.details.map(({ field, message }) => ({ name: field, message }));
  return batch.map(({ path }) => ({ name: path, message: error.message }));
}

function isAboutFiles(error: unknown): error is ApiError {
  if (!(error instanceof ApiError) || !REFUSED.includes(error.status)) return false;
  return error.details.every(({ field }) => field !== "name");
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (PASSING.includes(error.status) || error.code === "DATASET_CHANGED");
}

/** `crypto.randomUUID` is there on https and localhost alone. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
