import { useLingui } from "@lingui/react/macro";
import { getRouteApi } from "@tanstack/react-router";
import { Audit } from "~/features/admin/audit";
import { Containers } from "~/features/admin/containers";
import { Devices } from "~/features/admin/devices";
import { Limits } from "~/features/admin/limits";
import { MaintenancePanel } from "~/features/admin/maintenance-panel";
import { WholeQueue } from "~/features/admin/whole-queue";
import { AddressTabs } from "~/ui/address-tabs";
import { Page } from "~/ui/page";

const route = getRouteApi("/signed-in/admin");

export function AdminPage() {
  const { t } = useLingui();
  const { tab = "containers" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title={t`Administration`}>
      <MaintenancePanel />
      <AddressTabs
        chosen={tab}
        onChoose={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
        tabs={{
          containers: { label: t`Containers`, panel: <Containers /> },
          devices: { label: t`Devices`, panel: <Devices /> },
          queue: { label: t`Queue of all`, panel: <WholeQueue /> },
          limits: { label: t`Limits`, panel: <Limits /> },
          audit: { label: t`Audit`, panel: <Audit /> },
        }}
      />
    </Page>
  );
}
