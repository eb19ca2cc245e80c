import { useLingui } from "@lingui/react/macro";
import { Tabs } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Audit } from "~/features/admin/audit";
import { Containers } from "~/features/admin/containers";
import { Devices } from "~/features/admin/devices";
import { Limits } from "~/features/admin/limits";
import { MaintenancePanel } from "~/features/admin/maintenance-panel";
import type { AdminTab } from "~/features/admin/tabs";
import { WholeQueue } from "~/features/admin/whole-queue";
import { Page } from "~/ui/page";

const route = getRouteApi("/signed-in/admin");

export function AdminPage() {
  const { t } = useLingui();
  const { tab = "containers" } = route.useSearch();
  const navigate = route.useNavigate();
  const tabs: Record<AdminTab, string> = {
    containers: t`Containers`,
    devices: t`Devices`,
    queue: t`Queue of all`,
    limits: t`Limits`,
    audit: t`Audit`,
  };
  return (
    <Page title={t`Administration`}>
      <MaintenancePanel />
      <Tabs
        value={tab}
        onChange={(chosen) => void navigate({ search: { tab: chosen as AdminTab }, replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          {Object.entries(tabs).map(([name, label]) => (
            <Tabs.Tab key={name} value={name}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="containers"><Containers /></Tabs.Panel>
        <Tabs.Panel value="devices"><Devices /></Tabs.Panel>
        <Tabs.Panel value="queue"><WholeQueue /></Tabs.Panel>
        <Tabs.Panel value="limits"><Limits /></Tabs.Panel>
        <Tabs.Panel value="audit"><Audit /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}
