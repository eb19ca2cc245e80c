export const JOB_TABS = ["charts", "samples", "log", "files", "history", "settings"] as const;
export type JobTab = (typeof JOB_TABS)[number];
