export const JOB_TABS = ["charts", "samples", "log", "files", "history", "lineage", "settings"] as const;

/** Samples of one step, of two laid over each other, or of all steps beside each other. */
export const SAMPLE_VIEWS = ["one", "two", "all"] as const;

/** Which samples a page shows; what is not said is the newest step, and the first one on its left. */
export interface SampleChoice {
  view?: (typeof SAMPLE_VIEWS)[number];
  step?: number;
  earlier?: number;
}
