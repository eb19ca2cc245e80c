export const JOB_TABS = ["charts", "samples", "log", "files", "history", "lineage", "settings"] as const;
