import { Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { JobOut } from "~/api/generated";
import { eventsQuery } from "~/features/job/queries";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { When } from "~/ui/when";

export function JobHistory({ job }: { job: JobOut }) {
  const events = useQuery(eventsQuery(job.id));
  if (events.error && events.data === undefined) return <Failure error={events.error} />;
  if (events.data === undefined) return <Loading height={260} />;
  return (
    <Timeline bulletSize={14} lineWidth={2}>
      {events.data.map((event) => (
        <Timeline.Item key={event.id} title={event.new_status ?? event.type}>
          <Text size="sm" dir="auto">
            {event.message}
          </Text>
          <Text size="xs" c="dimmed">
            <When at={event.at} />
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
