import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ArtifactOut, JobOut } from "~/api/generated";
import { AdapterUsage } from "~/features/job/adapter-usage";
import { Digest } from "~/features/job/digest";
import classes from "~/features/job/job.module.css";
import { Promote } from "~/features/job/promote";
import { artifactsQuery } from "~/features/job/queries";
import { DownloadButton } from "~/ui/download-button";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { size } from "~/ui/quantities";

export function JobFiles({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const files = useQuery(artifactsQuery(job.id));
  if (files.error && files.data === undefined) return <Failure error={files.error} />;
  if (files.data === undefined) return <Loading height={160} />;
  if (files.data.length === 0) {
    if (job.completed_at !== null) return <Empty title={t`It left no files`} />;
    return (
      <Empty title={t`No files yet`}>
        <Trans>Checkpoints and samples come while it trains; its adapter is collected and checked when it has ended.</Trans>
      </Empty>
    );
  }
  const adapter = files.data.find((file) => file.kind === "adapter");
  return (
    <Stack>
      <Table aria-label={t`Files`}>
        <Table.Tbody>
          {files.data.map((file) => (
            <FileRow key={file.id} file={file} />
          ))}
        </Table.Tbody>
      </Table>
      {adapter && <AdapterUsage adapter={adapter} />}
    </Stack>
  );
}

function FileRow({ file }: { file: ArtifactOut }) {
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500} className={classes.file}>
        <bdi dir="ltr">{file.path}</bdi>
        <Text size="xs" c="dimmed" fw={400}>
          <bdi>{file.kind}</bdi> · <bdi>{size(file.size_bytes)}</bdi> · <bdi>sha256</bdi> <Digest value={file.sha256} />
        </Text>
      </Table.Th>
      <Table.Td ta="end">
        <Group gap="xs" justify="end">
          {file.is_promotable && file.checkpoint !== null && <Promote jobId={file.job_id} checkpoint={file.checkpoint} />}
          <DownloadButton artifactId={file.id} name={file.name} />
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
