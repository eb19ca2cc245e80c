import { Trans, useLingui } from "@lingui/react/macro";
import { Empty } from "~/ui/empty";
import { PageLink } from "~/ui/links";

export function Lost() {
  const { t } = useLingui();
  return (
    <main>
      <Empty title={t`There is no such page`}>
        <PageLink to="/jobs">
          <Trans>To your jobs</Trans>
        </PageLink>
      </Empty>
    </main>
  );
}
