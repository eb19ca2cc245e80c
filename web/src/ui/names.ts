/** What things are called where their own name is missing or too long. */

/** As much of an id as people tell jobs apart by. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

export function jobName(job: { id: string; name: string | null }): string {
  return job.name ?? shortId(job.id);
}

/** A setting's value as people write it. */
export function settingText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
