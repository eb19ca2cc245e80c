import { Trans, useLingui } from "@lingui/react/macro";
import { Code, Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ArtifactOut } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { usageQuery } from "~/features/job/queries";
import { CopyButton } from "~/ui/copy-button";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

/** Text to copy, as the server says that this adapter is used. */
export function AdapterUsage({ adapter }: { adapter: ArtifactOut }) {
  const { t } = useLingui();
  const usage = useQuery(usageQuery(adapter.id));
  if (usage.error) return <Failure error={usage.error} />;
  if (usage.data === undefined) return <Loading height={160} />;
  const texts: [string, string][] = [
    [t`Prompt`, usage.data.prompt],
    ["ComfyUI", usage.data.comfyui],
    ["diffusers", usage.data.diffusers],
  ];
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        <Trans>How to use it</Trans>
      </Title>
      {texts.map(([name, text]) => (
        <Stack key={name} gap={4}>
          <Group justify="space-between">
            <Title order={3} size="h6">
              {name}
            </Title>
            <CopyButton value={text} name={name} />
          </Group>
          <Code block className={classes.code} dir={name === "diffusers" ? "ltr" : "auto"}>
            {text}
          </Code>
        </Stack>
      ))}
    </Stack>
  );
}
