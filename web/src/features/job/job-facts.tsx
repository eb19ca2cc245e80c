import { useLingui } from "@lingui/react/macro";
import { Table } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import { CopyButton } from "~/ui/copy-button";
import { settingText } from "~/ui/names";

const IDS = ["id", "dataset_id", "dataset_sha256", "container_id", "image_digest"];

/** Everything the job was asked with, and what it ran on. */
export function JobFacts({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const facts: [string, unknown][] = [
    ["id", job.id],
    ["dataset_id", job.dataset_id],
    ["dataset_sha256", job.dataset_sha256],
    ["base_model", job.base_model],
    ["trigger_words", job.trigger_words.join(", ")],
    ["attempt", job.attempt],
    ["gpu_ids", job.gpu_ids.join(", ")],
    ["container_id", job.container_id],
    ["image_digest", job.image_digest],
    ...Object.entries(job.config),
  ];
  return (
    <Table.ScrollContainer minWidth={420} type="native" tabIndex={0} role="region" aria-label={t`Settings`}>
      <Table>
        <Table.Tbody>
          {facts
            .filter(([, value]) => value !== null && value !== "")
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={500}>
                  <bdi dir="ltr">{name}</bdi>
                </Table.Th>
                <Table.Td dir="auto">{settingText(value)}</Table.Td>
                <Table.Td ta="end">{IDS.includes(name) && <CopyButton value={String(value)} name={name} />}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
