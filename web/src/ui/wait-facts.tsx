import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { QueuePlace } from "~/api/generated";
import { duration } from "~/ui/quantities";
import { When } from "~/ui/when";

/** What would end a job's wait, since when it lasts, and when the server thinks that it is over. */
export function WaitFacts({ place }: { place: QueuePlace }) {
  return (
    <>
      <Text size="xs">
        <Trans>
          What frees it: <bdi>{place.freed_by}</bdi>
        </Trans>
      </Text>
      <Text size="xs">
        <Trans>
          waiting since <When at={place.waiting_since} />
        </Trans>
        {" · "}
        <Start place={place} />
      </Text>
    </>
  );
}

function Start({ place }: { place: QueuePlace }) {
  const { t } = useLingui();
  if (place.eta_seconds === null) return t`nobody can know yet when it starts`;
  return (
    <>
      {t`starts in about ${duration(place.eta_seconds)}`} <Spread place={place} />
    </>
  );
}

/** Between which times it will start, where enough jobs have completed to tell. */
export function Spread({ place }: { place: QueuePlace }) {
  const { t } = useLingui();
  const { eta_low_seconds: low, eta_high_seconds: high } = place;
  if (low === null || high === null || low === high) return null;
  return t`(${duration(low)} to ${duration(high)})`;
}
