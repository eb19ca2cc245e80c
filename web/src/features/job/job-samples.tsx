import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { JobOut } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { artifactsQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Picture } from "~/ui/picture";

export function JobSamples({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const files = useQuery(artifactsQuery(job));
  if (files.error && files.data === undefined) return <Failure error={files.error} />;
  if (files.data === undefined) return <Loading height={260} />;
  const samples = files.data.filter((file) => file.kind === "sample");
  if (samples.length === 0) {
    return (
      <Empty title={t`No samples yet`}>
        <Trans>Pictures that the adapter draws are shown here.</Trans>
      </Empty>
    );
  }
  return (
    <div className={classes.samples}>
      {samples.map((sample) => (
        <figure key={sample.id}>
          <Picture url={sample.download_url} alt={t`Sample ${sample.path}`} />
          <Text component="figcaption" size="xs" c="dimmed">
            <bdi dir="ltr">{sample.path}</bdi>
          </Text>
        </figure>
      ))}
    </div>
  );
}
