import { Plural, Trans } from "@lingui/react/macro";
import { Alert, Button, Group, List, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FindingOut, changeItem } from "~/api/generated";
import { RESOLUTION, reportQuery } from "~/features/datasets/queries";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { number } from "~/ui/quantities";

/** What the server finds wrong with it, each with what one click can do about it, and what it advises. */
export function Report({ id }: { id: string }) {
  const report = useQuery(reportQuery(id, RESOLUTION));
  if (report.error) return <Failure error={report.error} />;
  if (report.data === undefined) return <Loading height={80} />;
  const { findings, advice, trainable_count, item_count, recommended_steps } = report.data;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        <Trans>
          {number(trainable_count)} of {number(item_count)} pictures may be trained on
        </Trans>
        {recommended_steps !== null && (
          <>
            {" · "}
            <Plural value={recommended_steps} one="# step recommended" other="# steps recommended" />
          </>
        )}
      </Text>
      {findings.length > 0 && (
        <Alert color="orange" title={<Trans>Worth a look before training</Trans>}>
          <Stack gap="xs">
            {findings.map((finding) => (
              <Finding key={`${finding.problem} ${finding.item_ids[0]}`} id={id} finding={finding} />
            ))}
          </Stack>
        </Alert>
      )}
      <List size="sm" c="dimmed">
        {advice.map((each) => (
          <List.Item key={each.advice}>
            <bdi>
              {each.advice} {each.reason}
            </bdi>
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}

function Finding({ id, finding }: { id: string; finding: FindingOut }) {
  const leaveOut = useLeaveOut(id);
  return (
    <>
      <Group gap="xs" data-problem={finding.problem}>
        <Text size="sm">
          <bdi>{finding.message}</bdi>
        </Text>
        <PageButton to="/datasets/$id" params={{ id }} search={{ problem: finding.problem }} size="compact-xs" variant="default">
          <Trans>Show them</Trans>
        </PageButton>
        {finding.surplus_ids.length > 0 && (
          <Button
            size="compact-xs"
            variant="default"
            loading={leaveOut.isPending}
            onClick={() => leaveOut.mutate(finding.surplus_ids)}
          >
            <Plural value={finding.surplus_ids.length} one="Leave # out" other="Leave # out" />
          </Button>
        )}
      </Group>
      {leaveOut.error && <Failure error={leaveOut.error} />}
    </>
  );
}

/** One after another; what was left out before one failed stays so. */
function useLeaveOut(datasetId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (itemIds: string[]) => {
      for (const itemId of itemIds) {
        await changeItem({ path: { dataset_id: datasetId, item_id: itemId }, body: { approval: "rejected" } });
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["datasets", datasetId] }),
  });
}
