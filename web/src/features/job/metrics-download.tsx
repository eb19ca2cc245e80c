import { useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type JobOut, listMetrics } from "~/api/generated";
import { csvOf } from "~/features/job/metrics-csv";
import { ALL_POINTS } from "~/features/job/queries";
import { save } from "~/ui/save";

/** Every measurement of every attempt, as a table for other programs. */
export function MetricsDownload({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const download = useMutation({
    mutationFn: async () => {
      const { data, measured_count: measured } = (await listMetrics({ path: { job_id: job.id }, query: { points: ALL_POINTS } })).data;
      const note = data.length < measured ? `-${data.length}-of-${measured}` : "";
      save(new Blob([csvOf(data)], { type: "text/csv" }), `${job.name ?? job.id}-metrics${note}.csv`);
    },
  });
  return (
    <Button size="compact-xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
      {download.isError ? t`Try again` : t`Download as CSV`}
    </Button>
  );
}
