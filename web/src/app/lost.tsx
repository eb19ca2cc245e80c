import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Empty } from "~/ui/empty";

export function Lost() {
  const { t } = useLingui();
  return (
    <main>
      <Empty title={t`There is no such page`}>
        <Anchor component={Link} to="/jobs">
          <Trans>To your jobs</Trans>
        </Anchor>
      </Empty>
    </main>
  );
}
