import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, Table } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ArtifactOut, JobOut } from "~/api/generated";
import { AdapterUsage } from "~/features/job/adapter-usage";
import { artifactsQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { size } from "~/ui/quantities";
import { saveArtifact } from "~/ui/save";

export function JobFiles({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const files = useQuery(artifactsQuery(job.id));
  if (files.error && files.data === undefined) return <Failure error={files.error} />;
  if (files.data === undefined) return <Loading height={160} />;
  if (files.data.length === 0) {
    return (
      <Empty title={t`No files yet`}>
        <Trans>They are collected and checked when the job has ended.</Trans>
      </Empty>
    );
  }
  const adapter = files.data.find((file) => file.kind === "adapter");
  return (
    <Stack>
      <Table.ScrollContainer minWidth={520} type="native" tabIndex={0} role="region" aria-label={t`Files`}>
        <Table>
          <Table.Tbody>
            {files.data.map((file) => (
              <FileRow key={file.id} file={file} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {adapter && <AdapterUsage adapter={adapter} />}
    </Stack>
  );
}

function FileRow({ file }: { file: ArtifactOut }) {
  const { t } = useLingui();
  const download = useMutation({ mutationFn: () => saveArtifact(file.id, file.name) });
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500}>
        <bdi dir="ltr">{file.path}</bdi>
      </Table.Th>
      <Table.Td>{file.kind}</Table.Td>
      <Table.Td>{size(file.size_bytes)}</Table.Td>
      <Table.Td title={file.sha256}>
        <bdi dir="ltr">sha256 {file.sha256.slice(0, 12)}</bdi>
      </Table.Td>
      <Table.Td ta="end">
        <Button
          size="xs"
          variant="default"
          loading={download.isPending}
          onClick={() => download.mutate()}
          aria-label={t`Download ${file.name}`}
        >
          {download.isError ? t`Try again` : t`Download`}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}
