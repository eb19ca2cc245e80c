import type { ComparedJob } from "~/api/generated";
import { jobName } from "~/ui/names";

export function nameOf(job: ComparedJob): string {
  return jobName({ id: job.job_id, name: job.name });
}
