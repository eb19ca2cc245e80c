import { Trans } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import type { JobOut, SampleOut } from "~/api/generated";
import { Promote } from "~/features/job/promote";
import { CheckpointLink } from "~/ui/checkpoint-link";
import { DownloadButton } from "~/ui/download-button";
import { size } from "~/ui/quantities";

/** The file that drew what is shown of a step: to be fetched, and made an adapter of its own. */
export function SampleWeights({ job, samples }: { job: JobOut; samples: readonly SampleOut[] }) {
  const weights = samples.find((sample) => sample.weights !== null)?.weights ?? null;
  if (weights === null) {
    return (
      <Text size="sm" c="dimmed">
        {job.completed_at === null ? (
          <Trans>Checkpoints can be fetched once the job has ended.</Trans>
        ) : (
          <Trans>No checkpoint of this step was kept.</Trans>
        )}
      </Text>
    );
  }
  return (
    <Group gap="sm" data-weights={weights.checkpoint ?? "end"}>
      <Text size="sm">
        {weights.checkpoint === null ? (
          <Trans>Drawn by the finished adapter</Trans>
        ) : (
          <Trans>
            Drawn by checkpoint <CheckpointLink jobId={job.id} name={weights.checkpoint} />
          </Trans>
        )}
      </Text>
      <DownloadButton artifactId={weights.artifact_id} name={weights.name} note={size(weights.size_bytes)} />
      {weights.checkpoint !== null && weights.is_registered && (
        <Text size="sm" c="dimmed">
          <Trans>registered</Trans>
        </Text>
      )}
      {weights.checkpoint !== null && !weights.is_registered && (
        <Promote key={weights.checkpoint} jobId={job.id} checkpoint={weights.checkpoint} />
      )}
    </Group>
  );
}
