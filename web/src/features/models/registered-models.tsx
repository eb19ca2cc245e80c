import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  type ModelVersionOut,
  type RegisteredModelOut,
  listModelVersions,
  listRegisteredModels,
} from "~/api/generated";
import { DownloadButton } from "~/ui/download-button";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { number, size } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";
import { When } from "~/ui/when";

const MOST = 200;

/** The reader's own adapters by name; each completed job made a version of one. */
export function RegisteredModels() {
  const { t } = useLingui();
  const models = useQuery({
    queryKey: ["registered"],
    queryFn: async ({ signal }) => (await listRegisteredModels({ query: { page_size: MOST }, signal })).data,
  });
  const columns = [t`Name`, t`Version`, t`Base model`, t`Trigger words`, t`Registered`, t`Actions`];
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Your adapters</Trans>
      </Title>
      {models.error && <Failure error={models.error} onRetry={() => void models.refetch()} />}
      {models.isPending && <Loading height={100} />}
      {models.data?.total === 0 && (
        <Empty title={t`No adapters yet`}>
          <Trans>Every job that completes registers its adapter here.</Trans>
        </Empty>
      )}
      {models.data && models.data.total > 0 && (
        <Sheet label={t`Your adapters`} columns={columns} minWidth={760}>
          {models.data.data.map((model) => (
            <ModelRows key={model.name} model={model} />
          ))}
        </Sheet>
      )}
    </Stack>
  );
}

function ModelRows({ model }: { model: RegisteredModelOut }) {
  const [isOpen, setOpen] = useState(false);
  const versions = useQuery({
    queryKey: ["registered", model.name],
    queryFn: async ({ signal }) => (await listModelVersions({ path: { name: model.name }, signal })).data.data,
    enabled: isOpen,
  });
  const others = versions.data?.filter((version) => version.version !== model.latest.version) ?? [];
  return (
    <>
      <VersionRow version={model.latest}>
        {model.version_count > 1 && (
          <Button size="compact-xs" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <Plural value={model.version_count} one="# version" other="# versions" />
          </Button>
        )}
      </VersionRow>
      {isOpen && others.map((version) => <VersionRow key={version.version} version={version} />)}
    </>
  );
}

function VersionRow({ version, children }: { version: ModelVersionOut; children?: ReactNode }) {
  const { artifact_id: file } = version;
  return (
    <Table.Tr data-model={version.name}>
      <Table.Th scope="row" fw={500}>
        <bdi>{version.name}</bdi>
      </Table.Th>
      <Table.Td data-whole>
        {version.job_id === null ? (
          number(version.version)
        ) : (
          <PageLink to="/jobs/$id" params={{ id: version.job_id }} size="sm">
            {number(version.version)}
          </PageLink>
        )}{" "}
        {version.step !== null && (
          <Text span size="xs" c="dimmed">
            <Trans>step {number(version.step)}</Trans>
          </Text>
        )}{" "}
        {children}
      </Table.Td>
      <Table.Td dir="ltr">{version.base_model}</Table.Td>
      <Table.Td dir="auto">{version.trigger_words.join(", ")}</Table.Td>
      <Table.Td>{version.registered_at !== null && <When at={version.registered_at} />}</Table.Td>
      <Table.Td data-whole>
        {file === null ? (
          <Text size="xs" c="dimmed">
            <Trans>its file is gone</Trans>
          </Text>
        ) : (
          <DownloadButton
            artifactId={file}
            name={`${version.name}-${version.version}.safetensors`}
            note={version.size_bytes !== null && size(version.size_bytes)}
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
