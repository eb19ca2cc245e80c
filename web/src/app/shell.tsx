import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { useIdentity, useToken } from "~/api/identity";
import { MachineProblem } from "~/app/machine-problem";
import { Preferences } from "~/app/preferences";
import classes from "~/app/shell.module.css";

export function Shell() {
  const { t } = useLingui();
  const identity = useIdentity();
  useLeaveWhenSignedOut();
  return (
    <>
      <a href="#content" className={classes.skip}>
        <Trans>Skip to the content</Trans>
      </a>
      <header className={classes.header}>
        <Group justify="space-between" className={classes.bar}>
          <Group gap="lg">
            <Link to="/jobs" className={classes.brand}>
              <img src="/lorry.svg" alt="" width={26} height={26} />
              <Text fw={700}>Lorry</Text>
            </Link>
            <nav aria-label={t`Pages`} className={classes.nav}>
              <Link to="/jobs" activeOptions={{ includeSearch: false }}>
                <Trans>Jobs</Trans>
              </Link>
              <Link to="/datasets">
                <Trans>Datasets</Trans>
              </Link>
              <Link to="/models">
                <Trans>Models</Trans>
              </Link>
              <Link to="/analytics">
                <Trans>Analytics</Trans>
              </Link>
              {identity.data?.is_admin && (
                <Link to="/admin">
                  <Trans>Administration</Trans>
                </Link>
              )}
            </nav>
          </Group>
          <Preferences />
        </Group>
      </header>
      <main id="content" tabIndex={-1} className={classes.main}>
        <MachineProblem />
        <Outlet />
      </main>
    </>
  );
}

function useLeaveWhenSignedOut(): void {
  const token = useToken();
  const navigate = useNavigate();
  useEffect(() => {
    if (token === null) void navigate({ to: "/signin", replace: true });
  }, [token, navigate]);
}
